import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
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

for (const name of ["index.js", "index.cjs"]) {
  test(`dist/${name} imports nothing`, () => {
    const source = readFileSync(`dist/${name}`, "utf8");
    assert.doesNotMatch(source, /^import\b|\bfrom ["']|\brequire\(|\bimport\(/m);
  });
}

test("a page's globals are enough", () => {
  const page = createContext({ atob, performance, MessageChannel, TextDecoder, exports: {} });
  runInContext(readFileSync("dist/index.cjs", "utf8"), page);
  assert.equal(runInContext("typeof process + typeof Buffer + typeof require", page), "undefined".repeat(3));
  assert.deepEqual(square((page as { exports: Package }).exports), [7, 10, 15, 22]);
});
