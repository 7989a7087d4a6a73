import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, select } from "../../bench/options.js";

const named = (...names: string[]) => names.map((name) => ({ name }));
const rows = named(
  "sgemm NN 4x4x4",
  "sgemm NT 4x4x4",
  "step mnist-mlp b128",
  "relu 1000",
  "batchNorm forward 256x128 relu",
);
const names = (filter: string) => select(rows, filter).map(({ name }) => name);

test("FILTER is part of a name, or else a regular expression; none takes all", () => {
  assert.deepEqual(names("sgemm"), ["sgemm NN 4x4x4", "sgemm NT 4x4x4"]);
  assert.deepEqual(names("sgemm NT 4x4x4"), ["sgemm NT 4x4x4"]);
  assert.deepEqual(names("^relu"), ["relu 1000"]);
  assert.deepEqual(names("NT|step"), ["sgemm NT 4x4x4", "step mnist-mlp b128"]);
  assert.deepEqual(names("("), []);
  assert.deepEqual(names("conv"), []);
  assert.equal(names("").length, rows.length);
});

test("options have defaults, and words of FILTER may stand apart", () => {
  const options = parseOptions(["sgemm", "NT", "--json", "--seconds", "2.5", "--variant", "strict", "--core", "0"]);
  assert.deepEqual(options, {
    filter: "sgemm NT",
    variant: "strict",
    engine: undefined,
    seconds: 2.5,
    core: 0,
    format: "json",
    chart: undefined,
    sweep: undefined,
    list: false,
    help: false,
  });
  assert.equal(parseOptions([]).seconds, 30);
  assert.equal(parseOptions([]).variant, "auto");
});

test("a sweep has a range and transposes, and defaults for both", () => {
  assert.deepEqual(parseOptions(["--cliffs"]).sweep, { from: 16, to: 140, transposes: ["NN", "NT"] });
  const { sweep, filter } = parseOptions(["--cliffs", "60-70", "--transposes", "TT,NN"]);
  assert.deepEqual(sweep, { from: 60, to: 70, transposes: ["TT", "NN"] });
  assert.equal(filter, "");
});

for (const [argv, message] of [
  [["--variant", "fast"], '--variant is strict or relaxed, not "fast".'],
  [["--engine", "24"], '--engine is a Node release such as node-24, or chromium, firefox, webkit, not "24".'],
  [["--seconds=-1"], '--seconds is a positive number of seconds, not "-1".'],
  [["--seconds", "soon"], '--seconds is a positive number of seconds, not "soon".'],
  [["--core", "1.5"], '--core is the number of a core, counted from 0, not "1.5".'],
  [["--chart", "a.png"], '--chart is a FILE.svg, not "a.png".'],
  [["--cliffs", "8-20"], '--cliffs takes sizes FROM-TO with 16 ≤ FROM < TO ≤ 512, not "8-20".'],
  [["--cliffs", "20-20"], '--cliffs takes sizes FROM-TO with 16 ≤ FROM < TO ≤ 512, not "20-20".'],
  [["--cliffs", "16-513"], '--cliffs takes sizes FROM-TO with 16 ≤ FROM < TO ≤ 512, not "16-513".'],
  [["--cliffs", "sgemm"], '--cliffs takes sizes FROM-TO with 16 ≤ FROM < TO ≤ 512, not "sgemm".'],
  [["--cliffs", "--transposes", "NN,N"], '--transposes is some of NN,NT,TN,TT, not "NN,N".'],
  [["--cliffs", "--transposes", "NN,NN"], '--transposes is some of NN,NT,TN,TT, not "NN,NN".'],
  [["--transposes", "NN"], "--transposes goes with --cliffs."],
  [["--cliffs", "--chart", "a.svg"], "--chart is of training steps, not of --cliffs."],
  [["--json", "--markdown"], "--json and --markdown exclude each other."],
] as const) {
  test(`${argv.join(" ")} is refused`, () => {
    assert.throws(() => parseOptions(argv), { message });
  });
}

test("an unknown option is refused", () => {
  assert.throws(() => parseOptions(["--fast"]), /Unknown option '--fast'/);
});
