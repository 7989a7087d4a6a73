import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, median, summarise, type Case, type Limits, type Watch } from "../../bench/harness.js";
import { startPlainStopwatch } from "../../bench/plainStopwatch.js";
import { startStopwatch } from "../../bench/stopwatch.js";

/** A watch whose samples are given instead of measured; the last one repeats. */
class Script implements Watch {
  readonly samples: number[] = [];
  constructor(
    readonly name: string,
    readonly seconds: readonly number[],
    readonly log: string[] = [],
  ) {}
  round(): void {
    this.log.push(this.name);
    this.samples.push(this.seconds[Math.min(this.samples.length, this.seconds.length - 1)] ?? NaN);
  }
}

/** Case `name` of 1e9 operations, bounded by the probe. */
function row(name: string, validate: () => void = () => undefined): Case<null> {
  const calls = { run: () => 0, args: [[], []] } as const;
  const limit = { flops: 1e9 };
  return { name, unit: "GFLOP/s", amount: 1e9, limit, prepare: () => ({ ...calls, validate }) };
}

/** One probe of 1e9 operations. */
function limitsOf(probe: Watch): Limits {
  return { watch: () => [probe], seconds: () => Math.min(...probe.samples) };
}

test("best, median and share of the limit, in each unit", () => {
  const samples = [0.004, 0.002, 0.003, 0.01];
  const results = (["GFLOP/s", "GB/s", "ns/element", "ms"] as const).map((unit) => {
    return summarise({ name: "case", unit, amount: 4e6 }, samples, 0.001);
  });
  const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12 * expected);
  const expected = [
    [2, 4e6 / 0.0035 / 1e9],
    [2, 4e6 / 0.0035 / 1e9],
    [0.5, 0.875],
    [2, 3.5],
  ];
  for (const [index, { best, median, shareOfLimit }] of results.entries()) {
    near(best, expected[index]?.[0] ?? NaN);
    near(median, expected[index]?.[1] ?? NaN);
    near(shareOfLimit, 0.5);
  }
});

test("the median of an odd and of an even number of samples, and of none", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([]), NaN);
});

test("rounds interleave the probes and all cases until the time is over", () => {
  const log: string[] = [];
  const probe = new Script("probe", [0.5], log);
  let clock = 0;
  const { results, rounds, seconds } = measure({
    cases: [row("a"), row("b")],
    desk: null,
    limits: limitsOf(probe),
    seconds: 2,
    start: (name) => new Script(name, name === "a" ? [1, 2] : [4], log),
    now: () => (clock += 700),
  });
  assert.equal(rounds, 3);
  assert.equal(seconds, 2.1);
  assert.deepEqual(log, ["probe", "a", "b", "probe", "a", "b", "probe", "a", "b"]);
  assert.deepEqual(results, [
    { case: "a", unit: "GFLOP/s", best: 1, median: 0.5, shareOfLimit: 0.5 },
    { case: "b", unit: "GFLOP/s", best: 0.25, median: 0.25, shareOfLimit: 0.125 },
  ]);
});

test("a wrong result fails the run before anything is timed", () => {
  const log: string[] = [];
  const wrong = row("wrong", () => {
    throw new Error("c[3] is 1, expected 2.");
  });
  const run = () =>
    measure({
      cases: [row("right"), wrong],
      desk: null,
      limits: limitsOf(new Script("probe", [1], log)),
      seconds: 1,
      start: (name) => new Script(name, [1], log),
    });
  assert.throws(run, { message: "wrong: c[3] is 1, expected 2." });
  assert.deepEqual(log, []);
});

test("a case above its limit gives the probe more rounds, and is impossible if that does not help", () => {
  const run = (caseSeconds: number) =>
    measure({
      cases: [row("case")],
      desk: null,
      limits: limitsOf(new Script("probe", [1.2, 1.1, 1])),
      seconds: 1e-9,
      start: (name) => new Script(name, [caseSeconds]),
    });
  assert.equal(run(1.05).results[0]?.shareOfLimit, 1 / 1.05);
  assert.deepEqual(run(0.995).impossible, []); // within the slack
  assert.deepEqual(run(0.9).impossible, run(0.9).results);
});

for (const [name, start] of Object.entries({ stopwatch: startStopwatch, "plain stopwatch": startPlainStopwatch })) {
  test(`the ${name} makes both calls equally often and reports the seconds of one`, () => {
    const seen = [0, 0];
    const run = (which: number) => {
      seen[which] = (seen[which] ?? 0) + 1;
    };
    const watch = start("count", { run, args: [[0], [1]] }, 0.001, 0.02);
    watch.round();
    assert.ok(Math.abs(seen[0]! - seen[1]!) <= 1);
    assert.ok(watch.samples.length > 0);
    assert.ok(watch.samples.every((seconds) => seconds > 0 && seconds < 1e-4));
  });

  test(`the ${name} reports the seconds of a long call`, () => {
    const wait = () => {
      const end = performance.now() + 4;
      while (performance.now() < end);
    };
    const watch = start("wait", { run: wait, args: [[], []] }, 0.006, 0);
    watch.round();
    assert.ok(watch.samples.every((seconds) => seconds >= 0.004 * 0.999));
  });

  test(`the ${name} passes on what a call throws`, () => {
    let calls = 0;
    const run = () => {
      if (++calls > 100) throw new Error("broken");
    };
    assert.throws(() => {
      const watch = start("throws", { run, args: [[], []] }, 0.001, 0);
      watch.round();
    }, /broken/);
  });
}
