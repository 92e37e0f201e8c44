import assert from "node:assert/strict";
import { test } from "node:test";

import { all, source } from "./load.js";

const eslint = await import("eslint").catch(() => null);

const isExpected = eslint || process.env.WIJKATLAS_NO_SKIP;

const BROWSER = [
  "atob", "cancelAnimationFrame", "CSS", "DecompressionStream", "document", "DOMMatrix",
  "getComputedStyle", "L", "Path2D", "requestAnimationFrame", "Response", "setTimeout", "structuredClone",
  "TextDecoder", "URLSearchParams", "window",
];

test("the sources, in the one scope that they share in the page", { skip: isExpected ? false : "npm ci gives eslint" }, async () => {
  const { default: js } = await import("@eslint/js");
  const rules = { ...js.configs.recommended.rules, eqeqeq: "error", "no-var": "error", "prefer-const": "error", curly: ["error", "multi-line"] };
  const globals = Object.fromEntries(BROWSER.map((name) => [name, "readonly"]));
  const linter = new eslint.ESLint({
    overrideConfigFile: true,
    overrideConfig: [{ languageOptions: { sourceType: "script", globals }, rules }],
  });
  // `startAtlas` is called by the line that map.py adds.
  const [{ messages }] = await linter.lintText([...all.map(source), "startAtlas();"].join("\n"));
  assert.deepEqual(messages.map(({ line, ruleId, message }) => `${line} ${ruleId}: ${message}`), []);
});
