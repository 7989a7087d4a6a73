import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { loadMnist, readIdx, SIDE } from "../../examples/mnist/data.js";
import { confusionTable, drawDigit, drawDigits, ProgressBar } from "../../examples/mnist/terminal.js";

/** Runs the program as `npm start` does, on this engine. */
function start(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [...process.execArgv.filter((flag) => flag.startsWith("--experimental-wasm")), "--import", "tsx"];
  return spawnSync(process.execPath, [...command, "examples/mnist/index.ts", ...args], { encoding: "utf8" });
}

before(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", 2, 2] });
});

test("MNIST has 60,000 and 10,000 images with their labels", () => {
  const { train, test } = loadMnist();
  assert.deepEqual([train.count, test.count], [60_000, 10_000]);
  assert.deepEqual([train.images.length, test.images.length], [60_000 * 784, 10_000 * 784]);
  assert.deepEqual([train.labels.length, test.labels.length], [60_000, 10_000]);
  assert.deepEqual([...train.labels.slice(0, 5)], [5, 0, 4, 1, 9]);
  assert.deepEqual([...test.labels.slice(0, 5)], [7, 2, 1, 0, 4]);
  assert.equal(train.images[0], 0);
  assert.equal(Math.max(...train.images.subarray(0, 784)), 255);
});

test("a file that is no such IDX file, or is cut short, is refused", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "idx-"));
  const read = (bytes: number[], shape: number[]) => {
    const file = path.join(folder, "file");
    writeFileSync(file, Uint8Array.from(bytes));
    return readIdx(file, shape);
  };
  try {
    const labels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 9];
    assert.deepEqual([...read(labels, []).bytes], [7, 9]);
    assert.throws(() => read(labels, [28, 28]), /not an IDX file of bytes with elements of shape 28×28/);
    assert.throws(() => read(labels.slice(0, 9), []), /has 9 bytes; 2 elements need 10/);
    assert.throws(() => read([1, 2], []), /not an IDX file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one epoch reads more than 95 % of the test images and ends with one line of JSON", () => {
  const { status, stdout, stderr } = start("--epochs", "1", "--seed", "7", "--json");
  assert.equal(status, 0, stderr);
  assert.match(stderr, /epoch 1\/1 {2}loss 0\.\d+ /);
  assert.equal(stripVTControlCharacters(stderr), stderr);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(result), ["accuracy", "epochs", "seconds", "samplesPerSecond", "variant", "engine"]);
  assert.ok((result["accuracy"] as number) > 0.95 && (result["accuracy"] as number) <= 1);
  assert.equal(result["epochs"], 1);
  const images = (result["seconds"] as number) * (result["samplesPerSecond"] as number);
  assert.ok(Math.abs(images - 60_000) < 1);
  assert.equal(result["engine"], `node ${process.versions.node}`);
});

for (const [args, message] of [
  [["--epochs", "0"], '--epochs is a whole number of at least 1, not "0".'],
  [["--epochs", "2.5"], '--epochs is a whole number of at least 1, not "2.5".'],
  [["--batch", "1"], '--batch is a whole number from 2 to 60000, not "1".'],
  [["--learning-rate", "NaN"], '--learning-rate is a positive number, not "NaN".'],
  [["--seed", "x"], '--seed is a whole number of at least 0, not "x".'],
  [["--variant", "fast"], '--variant is strict or relaxed, not "fast".'],
  [["--quick"], "Unknown option '--quick'"],
] as const) {
  test(`${args.join(" ")} is refused with exit code 2`, () => {
    const { status, stdout, stderr } = start(...args);
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.ok(stderr.startsWith(message), stderr);
  });
}

test("--help explains every option", () => {
  const { status, stdout } = start("--help");
  assert.equal(status, 0);
  for (const option of ["epochs", "batch", "learning-rate", "seed", "variant", "json"]) {
    assert.match(stdout, new RegExp(`--${option}\\b`));
  }
});

test("the confusion table counts readings by digit", () => {
  assert.equal(
    confusionTable([0, 0, 0, 1], [0, 1, 0, 1], 3),
    `          0     1     2   right
    0     2     1     ·  66.7 %
    1     ·     1     · 100.0 %
    2     ·     ·     ·       -`,
  );
});

test("a digit is drawn with two pixels a character, in shades or colours", () => {
  const image = new Uint8Array(SIDE * SIDE);
  image[0] = 255;
  image[SIDE] = 255;
  image[1] = 255;
  const shades = drawDigit(image, false);
  assert.equal(shades.length, SIDE / 2);
  assert.equal(shades[0], `█▒${" ".repeat(SIDE - 2)}`);
  assert.equal(shades[1], " ".repeat(SIDE));
  const colors = drawDigit(image, true);
  assert.ok(colors[0]?.startsWith("\x1b[38;5;255;48;5;255m▀\x1b[38;5;255;48;5;232m▀"));
  assert.equal(stripVTControlCharacters(colors[0] ?? ""), "▀".repeat(SIDE));
});

test("digits stand side by side as far as the columns reach", () => {
  const digit = { image: new Uint8Array(SIDE * SIDE).fill(255), caption: "7, read as 1" };
  const lines = drawDigits([digit, digit, digit], { columns: 60, colors: false }).split("\n");
  assert.equal(lines.length, 2 * (1 + SIDE / 2) + 1);
  assert.equal(lines[0], `7, read as 1${" ".repeat(SIDE - 12 + 2)}7, read as 1`);
  assert.equal(lines[1], `${"█".repeat(SIDE)}  ${"█".repeat(SIDE)}`);
});

test("the progress bar draws on a terminal only", () => {
  const draw = (isTTY: boolean) => {
    let written = "";
    const stream = { isTTY, write: (text: string) => (written += text).length > 0 };
    const bar = new ProgressBar(stream);
    bar.draw("epoch 1/2", 0.5, "10/20");
    bar.draw("epoch 1/2", 0.55, "11/20"); // too soon to draw again
    bar.clear();
    return written;
  };
  assert.equal(draw(true), `\r\x1b[Kepoch 1/2 ${"█".repeat(12)}${"░".repeat(12)} 10/20\r\x1b[K`);
  assert.equal(draw(false), "");
});
