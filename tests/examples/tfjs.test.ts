import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { before, test } from "node:test";
import { MODELS } from "../../examples/tfjs/models.js";

/** Runs the program as `npm run example:tfjs` does, on this engine. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [...process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm")), "--import", "tsx"];
  return spawnSync(process.execPath, [...command, "examples/tfjs/index.ts", ...args], { encoding: "utf8" });
}

before(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", 2, 2] });
});

/** The loss of every line that the program printed. */
const lossesOf = (stdout: string) =>
  [...stdout.matchAll(/ loss (\d+\.\d+) {2}\d+\.\d+ ms\/step$/gm)].map((line) => Number(line[1]));

for (const name of Object.keys(MODELS)) {
  test(`the network ${name} trains on simdgrad`, () => {
    const { status, stdout, stderr } = run(name, "--steps", "10");
    assert.equal(status, 0, stderr);
    const losses = lossesOf(stdout);
    assert.equal(losses.length, 10, stdout);
    assert.ok(losses[9]! < losses[0]!, stdout);
  });
}

test("all backends begin with the same loss", () => {
  const losses = ["cpu", "wasm", "simdgrad"].map(
    (backend) => lossesOf(run("dense", "--backend", backend, "--steps", "1").stdout)[0],
  );
  assert.ok(losses[0]! > 0);
  assert.deepEqual(losses, [losses[0], losses[0], losses[0]]);
});

test("what it does not know, it explains", () => {
  assert.match(run("dens").stderr, /There is no network "dens", only dense, /);
  assert.match(run("--backend", "gpu").stderr, /There is no backend "gpu", only cpu, wasm, simdgrad\./);
  assert.match(run("--steps", "0").stderr, /--steps is a whole number, not "0"\./);
});
