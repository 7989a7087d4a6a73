import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, test } from "node:test";
import type { Claim, Part } from "../../examples/lecture/claim.js";

// Of mathematics every claim must hold, at any size. What is measured on data is reported as it comes out: here, on little of it, that
// each part gives claims and figures, and that what does not depend on luck holds.
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

test("batch norm trains where the plain network diverges", async () => {
  const { claims, figures } = await brief("batchNormTraining");
  assert.ok(claims[0]!.holds, claims[0]!.measured);
  assert.match(claims[1]!.measured, /^loss [\d.]+, [\d.]+ % of the test images right$/);
  assert.equal(figures.length, 1);
});

for (const [name, count] of [
  ["initialization", 6],
  ["regularization", 6],
] as const) {
  test(`${name} reports what it measured`, async () => {
    const { claims, figures } = await brief(name);
    assert.equal(claims.length, count);
    for (const { measured } of claims) assert.match(measured, /\d+\.\d %/);
    assert.equal(figures.length, 1);
  });
}

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
