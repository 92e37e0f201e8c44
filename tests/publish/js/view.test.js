import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./load.js";

const view = load(
  ["words", "view"],
  ["classOf", "countWorse", "passing", "search", "sorted", "neighbour", "toHash", "fromHash", "NO_FILTER"],
);

function level(columns, codes) {
  const typed = Object.entries(columns).map(([name, values]) => [
    name,
    typeof values.find((value) => value !== null) === "string" ? values : Float64Array.from(values),
  ]);
  const known = Object.fromEntries(typed);
  return {
    id: "buurt",
    codes,
    size: codes.length,
    has: (name) => name in known,
    column: (name) => known[name],
  };
}

const codes = ["BU05990001", "BU05990002", "BU05990003", "BU03630001", "BU0363AC01"];
const buurten = level(
  { rang: [1, 2, NaN, 3, 4], hoog: [10, 20, 30, 40, NaN], "ongunstiger:hoog": [0, 33, 66, 100, NaN], "ongunstiger:laag": [0, 25, 50, 75, 100], naam: ["Bloemhof", "Zuid", "Zuidwijk", "Oud-Zuid", "Súd"] },
  codes,
);
const layers = [
  { id: "hoog", counted: true, worse: "high" },
  { id: "laag", counted: true, worse: "low" },
  { id: "rang", counted: false, worse: "high" },
];
const shown = (filter) => codes.filter((_, i) => view.passing(buurten, layers, { ...view.NO_FILTER, ...filter })[i]);

test("a value belongs to the class whose lowest value it reaches", () => {
  const layer = { kind: "sequential", limits: [10, 20] };
  assert.deepEqual([9.9, 10, 19.9, 20, NaN].map((value) => view.classOf(layer, value)), [0, 1, 1, 2, -1]);
  assert.equal(view.classOf({ kind: "class", classes: ["zeker", "onzeker"] }, "onzeker"), 1);
  assert.equal(view.classOf({ kind: "class", classes: ["zeker"] }, null), -1);
});

test("an indicator counts from p percent on, and a missing one never does", () => {
  assert.deepEqual([...view.countWorse(buurten, layers.slice(0, 2), 50)], [0, 0, 2, 2, 1]);
  assert.deepEqual([...view.countWorse(buurten, layers.slice(0, 2), 51)], [0, 0, 1, 2, 1]);
});

test("each filter keeps what it says, and a missing value never passes", () => {
  assert.deepEqual(shown({}), codes);
  assert.deepEqual(shown({ gemeente: "GM0363" }), ["BU03630001", "BU0363AC01"]);
  assert.deepEqual(shown({ top: 2 }), ["BU05990001", "BU05990002"]);
  assert.deepEqual(shown({ minstens: { hoog: 20 } }), ["BU05990002", "BU05990003", "BU03630001"]);
  assert.deepEqual(shown({ aantal: 2, percentiel: 51 }), ["BU03630001"]);
  assert.deepEqual(shown({ aantal: 1, percentiel: 50, gemeente: "GM0599" }), ["BU05990003"]);
});

test("the same name comes first, then names that start so; accents do not matter", () => {
  const found = (words) => view.search([buurten], words).map(({ area }) => buurten.column("naam")[area]);
  assert.deepEqual(found("zuid"), ["Zuid", "Zuidwijk", "Oud-Zuid"]);
  assert.deepEqual(found("sud"), ["Súd"]);
  assert.deepEqual(found("  "), []);
});

test("missing values are last, whichever way the list is sorted", () => {
  assert.deepEqual(view.sorted([0, 1, 2, 3, 4], buurten.column("rang"), false), [0, 1, 3, 4, 2]);
  assert.deepEqual(view.sorted([0, 1, 2, 3, 4], buurten.column("rang"), true), [4, 3, 1, 0, 2]);
  assert.deepEqual(view.sorted([0, 1, 2], ["b", null, "A"], false), [2, 0, 1]);
});

test("an arrow goes to the nearest area in its direction, or nowhere", () => {
  const centres = { x: [0, 10, 30, 0], y: [0, 1, 0, -5] };
  const go = (direction, from = 0) => view.neighbour(centres, from, direction, () => true);
  assert.equal(go([1, 0]), 1);
  assert.equal(go([0, -1]), 3);
  assert.equal(go([-1, 0]), -1);
  assert.equal(view.neighbour(centres, 0, [1, 0], (i) => i !== 1), 2);
});

const known = { levels: ["buurt", "wijk"], layers: ["score", "inkomen"], areas: codes, thresholds: ["inwoners"] };

test("an address gives back the view that wrote it", () => {
  const shared = {
    level: "wijk",
    layer: "inkomen",
    area: "BU05990001",
    map: "12.5/51.9/4.48",
    filter: { gemeente: "GM0599", top: 100, aantal: 3, percentiel: 75, minstens: { inwoners: 1000.5 } },
  };
  assert.deepEqual(view.fromHash(`#${view.toHash(shared)}`, known), shared);
});

test("what an address must not say is left out", () => {
  const read = view.fromHash("#niveau=land&laag=<b>&gebied=BU1&kaart=a/b/c&top=-4&percentiel=900&min.inwoners=veel&gemeente=x&min.score=2", known);
  assert.deepEqual(read, { level: "", layer: "", area: "", map: "", filter: { ...view.NO_FILTER, percentiel: 99 } });
});
