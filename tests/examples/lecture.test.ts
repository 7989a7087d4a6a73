import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, test } from "node:test";
import type { Claim, Part } from "../../examples/lecture/claim.js";

// Of mathematics every claim must hold, at any size. What is measured on data is reported as it comes out, and what docs/LECTURE.md says
// of it must come out here too, on less data. The strict kernels give the same numbers everywhere.
before(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", 2, 2] });
});

async function brief(name: string): Promise<{ part: Part; claims: readonly Claim[]; figures: readonly string[] }> {
  const { init } = await import("simdgrad");
  const { parts } = await import("../../examples/lecture/parts.js");
  const { toSvg } = await import("../../examples/lecture/figures.js");
  const part = parts.find((part) => part.name === name)!;
  const runtime = await init({ variant: "strict" });
  const { claims, figures = {} } = await part.run(runtime, "brief");
  const drawn = await Promise.all(Object.values(figures).map(toSvg));
  return { part, claims, figures: drawn };
}

const fallen = (claims: readonly Claim[]) =>
  claims.filter(({ holds }) => !holds).map(({ lecture, measured }) => `${lecture}: ${measured}`);

for (const [name, count, figures] of [
  ["gates", 5, 0],
  ["softplus", 5, 0],
  ["derivatives", 6, 0],
  ["tensorDerivative", 5, 0],
  ["leastSquares", 4, 1],
  ["reluLayer", 5, 0],
  ["batchNormGates", 9, 0],
  ["tenLayers", 13, 3],
] as const) {
  test(`every claim of ${name} holds`, async () => {
    const found = await brief(name);
    assert.equal(found.claims.length, count);
    assert.deepEqual(fallen(found.claims), []);
    assert.equal(found.figures.length, figures);
    for (const svg of found.figures) assert.match(svg, /^<svg .*<\/svg>$/s);
  });
}

test("batch norm trains where the plain network diverges, and where layer norm and group norm do not", async () => {
  const { claims, figures } = await brief("batchNormTraining");
  assert.deepEqual(
    claims.map(({ holds }) => holds),
    [true, true, true, false],
  );
  assert.match(claims[0]!.measured, /^loss (NaN|[\d.]+), [\d.]+ % of the test images right$/);
  assert.equal(figures.length, 1);
});

/** The methods of "LSUV 88.4 %, Xavier 89.6 %", from the best. */
function ranking(measured: string): readonly { readonly method: string; readonly percent: number }[] {
  const found = Array.from(measured.matchAll(/(?:^|, )([^,]+?) ([\d.]+) %/g));
  return found
    .map(([, method, percent]) => ({ method: method!, percent: Number(percent) }))
    .sort((a, b) => b.percent - a.percent);
}

test("initialization: LSUV is the best over all activations, sigmoid learns nothing; He, not LSUV, leads with ReLU", async () => {
  const { claims, figures } = await brief("initialization");
  const ranks = claims.map(({ measured }) => ranking(measured));
  const [maxout, relu, , , sigmoid, all] = ranks;
  for (const ranked of ranks) assert.equal(ranked.length, 4);
  assert.equal(all![0]!.method, "LSUV");
  assert.ok(all![0]!.percent - all![3]!.percent > 1);
  assert.equal(relu![0]!.method, "MSRA (He)");
  assert.equal(maxout![3]!.method, "MSRA (He)"); // the slide: does not converge
  assert.ok(sigmoid![0]!.percent < 50 && sigmoid![1]!.percent < 15);
  claims.forEach(({ lecture, holds }, i) => {
    const [, winner] = /: (.*) is the best$/.exec(lecture) ?? [];
    if (winner !== undefined) assert.equal(holds, ranks[i]![0]!.method === winner, lecture);
    else assert.ok(holds, lecture);
  });
  assert.equal(figures.length, 1);
});

test("regularization: a network learns 500 digits by heart; augmentation helps most, by more than a point", async () => {
  const { claims, figures } = await brief("regularization");
  assert.ok(claims[0]!.holds);
  assert.match(claims[0]!.measured, /^100\.0 % of the training images/);
  const gains = claims.slice(1).map(({ lecture, measured, holds }) => {
    const [, gain, error] = /gain (-?[\d.]+) % ± ([\d.]+) %$/.exec(measured)!.map(Number);
    assert.equal(holds, gain! > error!, lecture);
    return gain!;
  });
  const [l2, l1, dropout, augmentation, bagging] = gains as [number, number, number, number, number];
  assert.ok(augmentation > 1, `augmentation gains ${augmentation} %`);
  for (const gain of [l2, l1, dropout, bagging]) assert.ok(gain < augmentation / 2);
  assert.equal(figures.length, 1);
});

test("the lecture is the same every time", async () => {
  const [first, second] = [await brief("tenLayers"), await brief("tenLayers")];
  assert.deepEqual(first.claims, second.claims);
  assert.deepEqual(first.figures, second.figures);
});

/** Runs the program as `npm run lecture` does, on this engine. */
function lecture(...args: string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", "examples/lecture/index.ts", ...args], { encoding: "utf8" });
}

test("npm run lecture prints each claim beside the measurement, writes figures and counts", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lecture-"));
  try {
    const { status, stdout, stderr } = lecture("gates", "leastSquares", "--figures", folder);
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /holds {5}multiply gate: switches, each input gets the other\n {12}measured: at most 0 apart\n/,
    );
    assert.match(stdout, /\n9 claims hold, 0 do not\n$/);
    assert.deepEqual(readdirSync(folder), ["leastSquares.svg"]);
    assert.match(readFileSync(path.join(folder, "leastSquares.svg"), "utf8"), /^<svg /);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("npm run lecture refuses what it does not know with exit code 2, and explains itself", () => {
  for (const [args, message] of [
    [["gate"], 'There is no part "gate", only gates, softplus'],
    [["--quick"], "Unknown option '--quick'"],
  ] as const) {
    const { status, stderr } = lecture(...args);
    assert.equal(status, 2);
    assert.ok(stderr.startsWith(message), stderr);
  }
  const { status, stdout } = lecture("--help");
  assert.equal(status, 0);
  assert.match(stdout, /--figures DIR/);
});

test("a claim that two arrays are equal fails where they are not", async () => {
  const { equal } = await import("../../examples/lecture/claim.js");
  assert.deepEqual(equal("x = y", [1, 2], [1, 2.5], 0.1), {
    lecture: "x = y",
    measured: "at most 0.5 apart",
    holds: false,
  });
});
