/* The map's sources are plain scripts that share one scope, as in the page: this makes that scope. */
import { readFileSync } from "node:fs";

const assets = new URL("../../../src/wijkatlas/publish/assets/", import.meta.url);

export const all = ["decode", "words", "view", "canvas", "card", "list", "controls", "page"];

export const source = (file) => readFileSync(new URL(`map-${file}.js`, assets), "utf8");

export function load(files, names) {
  const sources = files.map(source).join("\n");
  return new Function(`"use strict";\n${sources}\nreturn { ${names.join(", ")} };`)();
}
