import assert from "node:assert/strict";
import { test } from "node:test";
import { casesOf } from "../../bench/cases.js";
import { cliffReport, holds, squares, steps, type Sweep } from "../../bench/cliffs.js";

/** The results of a sweep: GFLOP/s by size, the same for all transposes unless `other` has those of NT. */
function results({ from, ...sweep }: Sweep, speeds: readonly number[], other = speeds) {
  const named = squares({ from, ...sweep });
  const half = speeds.length;
  return named.map(({ name }, index) => ({ case: name, best: (index < half ? speeds : other)[index % half] ?? NaN }));
}

const sweep = (from: number, to: number): Sweep => ({ from, to, transposes: ["NN"] });

test("a sweep is every size with every transpose", () => {
  const both: Sweep = { from: 30, to: 32, transposes: ["NN", "TT"] };
  const names = ["NN", "TT"].flatMap((operands) => [30, 31, 32].map((n) => `sgemm ${operands} ${n}x${n}x${n}`));
  assert.deepEqual(
    casesOf(both).map(({ name }) => name),
    names,
  );
});

test("n + 1 reaches 1 / 1.5 of n below 64, and 0.9 from there", () => {
  const judge = (n: number, after: number) => steps(sweep(n, n + 1), results(sweep(n, n + 1), [30, after])).map(holds);
  assert.deepEqual(judge(16, 20), [true]);
  assert.deepEqual(judge(16, 19.99), [false]);
  assert.deepEqual(judge(63, 20), [true]);
  assert.deepEqual(judge(64, 26.99), [false]);
  assert.deepEqual(judge(64, 27.01), [true]);
  assert.deepEqual(judge(200, 26.99), [false]);
});

test("the worst step comes first, by what it must at least be, with its own operands and sizes", () => {
  const both: Sweep = { from: 63, to: 65, transposes: ["NN", "NT"] };
  // NN falls to 0.7 where 2/3 will do and NT to 0.85 where 0.9 must be.
  const found = steps(both, results(both, [40, 28, 28], [40, 40, 34]));
  assert.deepEqual(
    found.map(({ transposes, n, before, after }) => [transposes, n, before, after]),
    [
      ["NT", 64, 40, 34],
      ["NN", 63, 40, 28],
      ["NN", 64, 28, 28],
      ["NT", 63, 40, 40],
    ],
  );
});

test("a missing size is an error, not a step that holds", () => {
  assert.throws(() => steps(sweep(16, 18), results(sweep(16, 17), [1, 1])), /There is no result of sgemm NN 18x18x18/);
});

test("the table shows ten steps, or all that do not hold, and counts both kinds", () => {
  const range = sweep(100, 124);
  const lines = (speeds: readonly number[]) => cliffReport(steps(range, results(range, speeds)), "table").split("\n");
  const level = Array.from({ length: 25 }, (_, index) => (index === 20 ? 22 : 20));
  assert.equal(lines(level).length, 2 + 1 + 10 + 2);
  assert.match(lines(level)[3] ?? "", /^NN +120 → 121 +22.0 +20.0 +0.909 +0.900 +yes$/);
  assert.match(lines(level).at(-1) ?? "", /^24 steps hold, 0 do not: /);
  const saw = Array.from({ length: 25 }, (_, index) => (index % 2 === 0 ? 20 : 10));
  assert.equal(lines(saw).length, 2 + 1 + 12 + 2);
  assert.match(lines(saw).at(-1) ?? "", /^12 steps hold, 12 do not: /);
});

test("JSON has a line for each step", () => {
  const range = sweep(64, 66);
  const lines = cliffReport(steps(range, results(range, [20, 10, 10])), "json").split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { transposes: "NN", n: 64, before: 20, after: 10, least: 0.9, ratio: 0.5, holds: false },
      { transposes: "NN", n: 65, before: 10, after: 10, least: 0.9, ratio: 1, holds: true },
    ],
  );
});
