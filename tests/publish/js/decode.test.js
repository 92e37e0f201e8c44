import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { load } from "./load.js";

const names = ["VarintReader", "unpack", "eachPoint", "boxesOf", "sketchOf"];
const { VarintReader, unpack, eachPoint, boxesOf, sketchOf } = load(["decode"], names);

test("integers are read in base 128, low digits first", () => {
  const reader = new VarintReader(Uint8Array.from([0, 127, 128, 1, 255, 255, 255, 255, 7]));
  assert.deepEqual([...reader.take(4)], [0, 127, 128, 2 ** 31 - 1]);
});

test("running numbers are sums of zigzag differences", () => {
  assert.deepEqual([...new VarintReader(Uint8Array.from([6, 1, 4])).takeRunning(3)], [3, 2, 4]);
});

// The Python test writes a payload and what must come out of it.
const fixture = process.env.WIJKATLAS_PAYLOAD;
test("a payload of the publisher", { skip: fixture ? false : "the Python test gives one" }, async () => {
  const { payload, levels } = JSON.parse(readFileSync(fixture, "utf8"));
  const decoded = await unpack(payload);
  let area = 0;
  levels.forEach((expected, i) => {
    const level = decoded.levels[i];
    assert.deepEqual(level.codes, expected.codes);
    for (const [name, values] of Object.entries(expected.columns)) {
      const read = Array.from(level.column(name), (value) => (Number.isNaN(value) ? null : value));
      assert.deepEqual(read, values, name);
    }
    for (const square of expected.square_metres) {
      let twice = 0;
      let [startX, startY, lastX, lastY] = [0, 0, 0, 0];
      const close = () => (twice += lastX * startY - startX * lastY);
      eachPoint(decoded.topology, area++, (x, y, isFirst) => {
        if (isFirst) {
          close();
          [startX, startY] = [x, y];
        } else twice += lastX * y - x * lastY;
        [lastX, lastY] = [x, y];
      });
      close();
      const drawn = (Math.abs(twice) / 2) * decoded.topology.step ** 2;
      assert.ok(Math.abs(drawn / square - 1) < 0.02, `area ${area - 1}: ${drawn} for ${square}`);
    }
  });
});

test("a sketch keeps ends and small arcs, and moves no border by more than its cell", () => {
  const points = [[0, 0], [3, 1], [6, 0], [9, 1], [30, 0], [60, 0], [60, 1], [61, 2]]; // an arc of 5 points, one of 3
  const [x, y] = [0, 1].map((axis) => Float32Array.from(points, (point) => point[axis]));
  const arcStart = Uint32Array.from([0, 5, 8]);
  const sketch = sketchOf({ arcStart, x, y, arcBoxes: boxesOf(arcStart, x, y) }, 5);
  assert.deepEqual([...sketch.arcStart], [0, 3, 6]);
  const kept = [0, 1, 2, 3, 4, 5].map((i) => [sketch.x[i], sketch.y[i]]);
  assert.deepEqual(kept, [[0, 0], [6, 0], [30, 0], [60, 0], [60, 1], [61, 2]]);
});
