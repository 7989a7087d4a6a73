import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import { capabilities } from "../../src/index.js";
import type * as simdgrad from "../../src/index.js";

type Package = typeof simdgrad;

const require = createRequire(import.meta.url);
const esm = (await import(new URL("../../dist/index.js", import.meta.url).href)) as Package;
const commonjs = require("../../dist/index.cjs") as Package;

/** [[1, 2], [3, 4]]², by the package that is given. */
function square({ initSync, matmul }: Package): number[] {
  const runtime = initSync({ variant: "strict" });
  const a = runtime.tensor([1, 2, 3, 4], [2, 2]);
  return Array.from(matmul(a, a).toArray());
}

test("both bundles export the same names", () => {
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(commonjs).sort());
});

test("both bundles compute", () => {
  assert.deepEqual(square(esm), [7, 10, 15, 22]);
  assert.deepEqual(square(commonjs), [7, 10, 15, 22]);
});

test("an error of one bundle is told by its code in the other", () => {
  const { ShapeError } = commonjs;
  assert.throws(
    () => esm.initSync().tensor([1, 2, 3], [2, 2]),
    (error: Error & { code: string }) => {
      return !(error instanceof ShapeError) && error.code === "ERR_SHAPE";
    },
  );
});

const scripts = readdirSync("dist").filter((file) => /\.c?js$/.test(file));
for (const name of scripts) {
  const peers = name.startsWith("tfjs.") ? ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu"] : [];
  test(`dist/${name} imports nothing from outside${peers.length > 0 ? " but its peers" : ""}`, () => {
    const source = readFileSync(`dist/${name}`, "utf8");
    const imported = [
      ...source.matchAll(/^(?:import|export)\b.*?\bfrom ["'](.*)["']|\brequire\(["'](.*)["']|\bimport\(/gm),
    ];
    const names = imported.map(([, from, required]) => from ?? required ?? "");
    assert.deepEqual(names.filter((module) => !scripts.includes(module.slice(2))).sort(), peers.toSorted());
  });
}

/** An entry for require, run where nothing is but what a page has. */
function inPage(entry: string): Package {
  const page = createContext({ atob, performance, MessageChannel, TextDecoder, URL });
  const load = (file: string): unknown => {
    const code = `(function (exports, require) { ${readFileSync(path.join("dist", file), "utf8")}\n})`;
    const exports = {};
    (runInContext(code, page) as (exports: unknown, require: unknown) => void)(exports, load);
    return exports;
  };
  assert.equal(runInContext("typeof process + typeof Buffer + typeof require", page), "undefined".repeat(3));
  return load(entry) as Package;
}

test("a page's globals are enough", () => {
  assert.deepEqual(square(inPage("index.cjs")), [7, 10, 15, 22]);
});

test("simdgrad/strict holds the strict binary alone", () => {
  const strict = inPage("strict.cjs");
  assert.deepEqual(Object.keys(strict).sort(), Object.keys(commonjs).sort());
  const runtime = strict.initSync();
  assert.deepEqual(
    [runtime.variant, runtime.reason],
    ["strict", capabilities().recommended === "strict" ? capabilities().reason : "only the strict binary was offered"],
  );
});

test("simdgrad/core holds none, and takes what the package serves", async () => {
  const core = require("simdgrad/core") as Package;
  assert.throws(() => core.initSync({}), {
    code: "ERR_ARGUMENT",
    message: "initSync: simdgrad/core holds no binaries; pass url, bytes or module.",
  });
  const url = pathToFileURL(require.resolve("simdgrad/strict.wasm"));
  const runtime = await core.init({ url });
  assert.deepEqual(Array.from(core.relu(runtime.tensor([-1, 2])).toArray()), [0, 2]);
});
