import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const { number, withUnit, rankText, rankInList, chanceText, classTexts, fold, plural } = load(
  ["words"],
  ["number", "withUnit", "rankText", "rankInList", "chanceText", "classTexts", "fold", "plural"],
);
const layer = { kind: "sequential", unit: "%", decimals: 1, limits: [10, 20.5] };

test("numbers are written in Dutch", () => {
  assert.equal(number(12147), "12.147");
  assert.equal(number(1234.56, 1), "1.234,6");
  assert.equal(number(-0.5, 1), "−0,5");
  assert.equal(number(NaN), "–");
  assert.equal(number(null), "–");
});

test("a missing value is said in words, a zero is a zero", () => {
  assert.equal(withUnit(NaN, layer), "geen cijfer");
  assert.equal(withUnit(0, layer), "0,0%");
  assert.equal(withUnit(3, { unit: "per 1.000", decimals: 0 }), "3 per 1.000");
});

test("a rank comes with its interval and its chance", () => {
  const area = { rang: 143, laag: 96, hoog: 212, kans: 0.84 };
  assert.equal(rankText(area), "Plaats 143 (90%: 96–212)");
  assert.equal(chanceText(area), "Kans op de eerste 10%: 84%");
  assert.equal(rankInList(area), "143 (96–212)");
  assert.equal(rankInList({ rang: NaN }), "–");
  assert.equal(rankText({ rang: NaN, reden: "te weinig cijfers" }), "Niet gescoord: te weinig cijfers");
  assert.equal(chanceText({ kans: NaN }), "");
});

test("only certainty itself is a chance of 0% or 100%", () => {
  assert.equal(chanceText({ kans: 0.001 }), "Kans op de eerste 10%: minder dan 1%");
  assert.equal(chanceText({ kans: 0.999 }), "Kans op de eerste 10%: meer dan 99%");
  assert.equal(chanceText({ kans: 0 }), "Kans op de eerste 10%: 0%");
  assert.equal(chanceText({ kans: 1 }), "Kans op de eerste 10%: 100%");
});

test("classes do not share ends", () => {
  assert.deepEqual(classTexts(layer), ["minder dan 10,0%", "10,0 – 20,4%", "20,5% of meer"]);
  assert.deepEqual(classTexts({ ...layer, limits: [] }), ["alle waarden"]);
  assert.deepEqual(classTexts({ ...layer, decimals: 0, limits: [1, 2] }), ["minder dan 1%", "1%", "2% of meer"]);
  assert.deepEqual(classTexts({ kind: "class", classes: ["zeker", "onzeker"] }), ["zeker", "onzeker"]);
});

test("accents and capitals do not matter when searching", () => {
  assert.equal(fold("Súdwest-Fryslân"), "sudwest-fryslan");
  assert.equal(plural(1, "buurt"), "1 buurt");
  assert.equal(plural(3340, "wijk"), "3.340 wijken");
});
