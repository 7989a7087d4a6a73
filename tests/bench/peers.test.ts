import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { cases, findCase, SUITES } from "../../bench/peers/cases.js";
import { chartSpec, isDrawable } from "../../bench/peers/chart.js";
import { compare, type Entrant, type PeerResult } from "../../bench/peers/measure.js";
import { parseOptions } from "../../bench/peers/options.js";
import { peers, STRICT } from "../../bench/peers/peers.js";
import { OUTPUTS, parsePrepare, prepareLine, splitLine } from "../../bench/peers/protocol.js";
import { PeerError, Remote } from "../../bench/peers/remote.js";
import { jsonLine, ratios, report } from "../../bench/peers/report.js";
import { Random } from "../support/random.js";

function dataFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "simdgrad-test-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

const row = findCase({ operation: "gemmNN", sizes: [4, 4, 4] });

/** The product of the shared data in float32. */
function product(): Float32Array {
  const [a = new Float32Array(), b = new Float32Array()] = row.inputs(new Random(1));
  return Float32Array.from({ length: 16 }, (_, at) => {
    const [i, j] = [at >> 2, at & 3];
    return [0, 1, 2, 3].reduce((sum, p) => sum + a[4 * i + p]! * b[4 * p + j]!, 0);
  });
}

/** A peer whose samples are given instead of measured; the last one repeats. `results` are what it leaves. */
function scripted(folder: string, name: string, estimate: number, samples: number[], results = product()) {
  const log: string[] = [];
  const ask = (line: string) => {
    log.push(line);
    if (line.startsWith("prepare")) {
      writeFileSync(path.join(folder, "outputs"), results);
      return Promise.resolve(String(estimate));
    }
    return Promise.resolve(String(samples.length > 1 ? samples.shift() : samples[0]));
  };
  const identity = { version: `${name} 1.0.0`, engine: "none" };
  return { name, limit: false, identity, remote: { ask }, log } satisfies Entrant & { log: string[] };
}

/** A clock that goes on by so many milliseconds at each look. */
const clock = (step: number) => {
  let time = 0;
  return () => (time += step);
};

test("every suite has cases, their names and tasks are unique, and there are peers for them", () => {
  for (const suite of SUITES) {
    const ofSuite = cases.filter((one) => one.suite === suite);
    const names = ofSuite.map(({ name }) => name);
    assert.ok(names.length > 0, suite);
    assert.deepEqual(names, [...new Set(names)]);
    assert.ok(peers.some(({ suites, name }) => suites.includes(suite) && name === STRICT));
  }
  for (const one of cases) assert.equal(findCase(one.task), one);
  assert.throws(() => findCase({ operation: "gemmNN", sizes: [1, 2, 3] }), /no case gemmNN 1,2,3/);
});

test("the names of peers are unique", () => {
  const names = peers.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});

test("options have defaults, and words of FILTER may stand apart", () => {
  assert.deepEqual(parseOptions(["gemm"]), {
    suite: "gemm",
    filter: "",
    peers: undefined,
    seconds: 3,
    core: undefined,
    format: "table",
    chart: undefined,
    list: false,
  });
  const argv = [
    "gemm",
    "NN",
    "4x4x4",
    "--peers",
    "a,b",
    "--seconds",
    "0.5",
    "--core",
    "1",
    "--json",
    "--list",
    "--chart",
    "a.svg",
  ];
  assert.deepEqual(parseOptions(argv), {
    suite: "gemm",
    filter: "NN 4x4x4",
    peers: ["a", "b"],
    seconds: 0.5,
    core: 1,
    format: "json",
    chart: "a.svg",
    list: true,
  });
  assert.equal(parseOptions(["--help"]), undefined);
});

for (const [argv, message] of [
  [[], /^SUITE is gemm.*; none came\.$/],
  [["conv"], /^SUITE is gemm.*, not "conv"\.$/],
  [["step", "--chart", "a.svg"], /^--chart is of gemm, not of step\.$/],
  [["gemm", "--chart", "a.png"], /^--chart is a FILE\.svg, not "a\.png"\.$/],
  [["gemm", "--seconds", "0"], /^--seconds is a positive number of seconds, not "0"\.$/],
  [["gemm", "--core", "x"], /^--core is the number of a core/],
  [["gemm", "--json", "--markdown"], /^--json and --markdown exclude each other\.$/],
  [["gemm", "--fast"], /Unknown option '--fast'/],
] as const) {
  test(`bench:peers ${argv.join(" ")} is refused`, () => {
    assert.throws(() => parseOptions(argv), { message });
  });
}

test("a task survives its line", () => {
  const task = { operation: "gemmTN", sizes: [3, 4, 5] };
  const [word, rest] = splitLine(prepareLine(task, [15, 20]));
  assert.equal(word, "prepare");
  assert.deepEqual(parsePrepare(rest), { ...task, lengths: [15, 20] });
  assert.deepEqual(splitLine("quit"), ["quit", ""]);
});

test("best and median of rounds that go on until the time is over", async (t) => {
  const folder = dataFolder(t);
  const [a, b] = [scripted(folder, "a", 1e-6, [3, 1, 2]), scripted(folder, "b", 1e-6, [4])];
  const { results, absences, rounds } = await compare(row, [a, b], { folder, seconds: 1, now: clock(60) });
  // A round looks at the clock twice for each peer's turn, once more before all but the first of them, and at its end.
  assert.equal(rounds, 3);
  const identity = { version: "a 1.0.0", engine: "none" };
  const expected = {
    suite: "gemm",
    case: "NN 4x4x4",
    peer: "a",
    ...identity,
    best: 1.28e-7,
    median: 6.4e-8,
    unit: "GFLOP/s",
  };
  assert.deepEqual(absences, []);
  assert.deepEqual(JSON.parse(jsonLine(results[0]!)), expected);
  assert.deepEqual([results[1]?.best, results[1]?.median], [3.2e-8, 3.2e-8]);
  assert.deepEqual(a.log, ["prepare gemmNN 4,4,4 16,16", "run 4000", "run 4000", "run 4000"]);
});

test("a peer whose call takes a tenth of the time is timed once", async (t) => {
  const folder = dataFolder(t);
  const [slow, fast] = [scripted(folder, "slow", 0.11, [0.1]), scripted(folder, "fast", 1e-3, [1e-3])];
  await compare(row, [slow, fast], { folder, seconds: 1, now: clock(60) });
  assert.deepEqual(slow.log.slice(1), ["run 1"]);
  assert.ok(fast.log.length > 3);
});

test("who computes something else is not timed, and the others are", async (t) => {
  const folder = dataFolder(t);
  const wrong = product();
  wrong[5]! += 1e-3;
  const liar = scripted(folder, "liar", 1e-3, [1e-12], wrong);
  const short = scripted(folder, "short", 1e-3, [1e-12], product().slice(1));
  const right = scripted(folder, "right", 1e-3, [1e-3]);
  const { results, absences } = await compare(row, [liar, short, right], { folder, seconds: 1e-9 });
  assert.deepEqual(
    results.map(({ peer }) => peer),
    ["right"],
  );
  assert.match(absences[0]?.reason ?? "", /^wrong result: .*c\[5\] is/);
  assert.match(absences[1]?.reason ?? "", /^wrong result: c has 15 elements, expected 16/);
  assert.deepEqual(liar.log.length, 1);
});

test("who fails in a round is left out from then on", async (t) => {
  const folder = dataFolder(t);
  const failing = scripted(folder, "failing", 1e-3, [1e-3]);
  const remote = {
    ask: (line: string) =>
      line.startsWith("run") ? Promise.reject(new PeerError("out of memory")) : failing.remote.ask(line),
  };
  const right = scripted(folder, "right", 1e-3, [1e-3]);
  const { results, absences } = await compare(row, [{ ...failing, remote }, right], { folder, seconds: 1e-9 });
  assert.equal(results.length, 1);
  assert.deepEqual(absences, [{ case: "NN 4x4x4", peer: "failing", reason: "out of memory" }]);
});

/** A process that says hello and then answers each line as `script` says: lines for descriptor 3, or code. */
const fake = (code: string) => ({ command: [process.execPath, "--input-type=module", "--eval", code] });
const SAY = `import { writeSync } from "node:fs"; import { createInterface } from "node:readline";
const say = (text) => writeSync(3, text + "\\n");`;

test("a remote peer answers, refuses and dies", async () => {
  const { remote, identity } = await Remote.start(
    fake(`${SAY}
      console.log("chatter"); say('hello {"version": "fake 1", "engine": "node"}');
      for await (const line of createInterface({ input: process.stdin })) {
        if (line === "run 1") say("seconds 0.25");
        else if (line === "run 2") say("error no such thing.");
        else { console.error("I have had enough."); process.exit(3); }
      }`),
    ".",
  );
  try {
    assert.deepEqual(identity, { version: "fake 1", engine: "node" });
    assert.equal(await remote.ask("run 1", "seconds"), "0.25");
    await assert.rejects(remote.ask("run 2", "seconds"), new PeerError("no such thing."));
    assert.equal(await remote.ask("run 1", "seconds"), "0.25");
    await assert.rejects(remote.ask("die", "seconds"), new PeerError("I have had enough."));
    await assert.rejects(remote.ask("run 1", "seconds"), new PeerError("I have had enough."));
  } finally {
    remote.close();
  }
});

test("a peer that does not start says why", async () => {
  await assert.rejects(Remote.start({ command: ["./no-such-program"] }, "."), { name: "PeerError", message: /ENOENT/ });
  await assert.rejects(Remote.start(fake("process.exit(7)"), "."), new PeerError("ended with exit code 7"));
});

test("simdgrad itself takes part in every operation: its results are right and it is timed", async (t) => {
  const folder = dataFolder(t);
  const spec = peers.find(({ name }) => name === STRICT)!;
  const { remote, identity } = await Remote.start(spec.command(), folder);
  try {
    const entrant = { name: STRICT, limit: false, identity, remote };
    const smallest = new Map([...cases].reverse().map((one) => [one.task.operation, one]));
    for (const one of smallest.values()) {
      const { results, absences } = await compare(one, [entrant], { folder, seconds: 0.01 });
      assert.deepEqual(absences, []);
      assert.match(results[0]?.version ?? "", /^simdgrad \d/);
      assert.ok((results[0]?.best ?? 0) > 0);
      // The same results with their last value a little off are refused.
      const outputs = new Float32Array(Uint8Array.from(readFileSync(path.join(folder, OUTPUTS))).buffer);
      outputs[outputs.length - 1]! += 0.01;
      const check = one.checker(one.inputs(new Random(1)));
      assert.throws(() => {
        check(outputs);
      }, /\[\d+\] is .*, expected /);
    }
    await assert.rejects(remote.ask("prepare convolution 4 16", "ready"), new PeerError("does not offer convolution"));
  } finally {
    remote.close();
  }
});

test("the chart has a point for each size and peer, and names the fastest first", () => {
  const square = (peer: string, n: number, speed: number) => result(peer, `NN ${n}x${n}x${n}`, speed);
  const results = [square("slow", 4, 3), square("slow", 8, 4), square("fast", 4, 1), square("fast", 8, 5)];
  const spec = JSON.stringify(chartSpec([...results, result("fast", "NT 64x64x64", 9)], cases));
  const points = [
    { n: 4, speed: 3, peer: "slow" },
    { n: 8, speed: 4, peer: "slow" },
    { n: 4, speed: 1, peer: "fast" },
    { n: 8, speed: 5, peer: "fast" },
  ];
  assert.ok(spec.includes(JSON.stringify({ values: points })), spec);
  assert.ok(spec.includes('"domain":["fast","slow"]'), spec);
  assert.ok(isDrawable(cases));
  assert.ok(!isDrawable([row]));
});

const result = (peer: string, name: string, best: number, unit: PeerResult["unit"] = "GFLOP/s"): PeerResult => {
  return { suite: "gemm", case: name, peer, version: `${peer} 1`, engine: "none", best, median: best / 2, unit };
};

test("ratios say how many times as fast one is, whatever the unit", () => {
  assert.deepEqual(ratios(result("a", "case", 30), result("b", "case", 10)), { best: 3, median: 3 });
  assert.deepEqual(ratios(result("a", "case", 10, "ms"), result("b", "case", 30, "ms")), { best: 3, median: 3 });
});

test("the report has versions, figures, ratios and absences", () => {
  const results = [result("simdgrad-strict", "one", 30), result("b", "one", 10), result("simdgrad-strict", "two", 8)];
  const setting = { processor: "cpu", core: "1", seconds: 2, rounds: [7, 9] };
  const absences = [{ case: "two", peer: "b", reason: "tired" }];
  assert.equal(
    report(results, absences, setting, "markdown"),
    `cpu, all peers pinned to core 1; 2.00 s of interleaved rounds a case, 7 to 9 of them.

| peer | version and engine |
| --- | --- |
| simdgrad-strict | simdgrad-strict 1, none |
| b | b 1, none |

Best (median):

| case | unit | simdgrad-strict | b |
| --- | --- | ---: | ---: |
| one | GFLOP/s | 30.0 (15.0) | 10.0 (5.00) |
| two | GFLOP/s | 8.00 (4.00) | – |

How many times as fast simdgrad-strict is, best (median):

| case | b |
| --- | ---: |
| one | 3.00 (3.00) |
| two | – |

skipped b in two: tired`,
  );
});
