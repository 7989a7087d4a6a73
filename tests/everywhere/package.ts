/** The package as it is published loads and computes, without configuration, whatever runs it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type * as simdgrad from "../../src/index.js";

type Package = typeof simdgrad;

const load = (file: string) => import(new URL(`./simdgrad/${file}`, import.meta.url).href) as Promise<Package>;
const { capabilities, init, initSync, matmul } = await load("index.js");

/** [[1, 2], [3, 4]]² */
function square(runtime: simdgrad.Runtime): number[] {
  const a = runtime.tensor([1, 2, 3, 4], [2, 2]);
  return Array.from(matmul(a, a).toArray());
}
const SQUARE = [7, 10, 15, 22];

for (const variant of ["strict", "relaxed"] as const) {
  const skip = variant === "strict" || capabilities().relaxedSimd ? false : "this engine has no relaxed SIMD";
  for (const shared of [false, true]) {
    test(`${variant}${shared ? ", shared" : ""}: init and initSync`, { skip }, async () => {
      for (const runtime of [await init({ variant, shared }), initSync({ variant, shared })]) {
        assert.deepEqual(square(runtime), SQUARE);
        assert.equal(runtime.memory.buffer instanceof SharedArrayBuffer, shared);
      }
    });
  }
}

test("init takes what capabilities recommends", async () => {
  const { recommended, reason } = capabilities();
  const runtime = await init();
  assert.deepEqual([runtime.variant, runtime.reason], [recommended, reason]);
});

test("the binary that the package serves is fetched where core asks for it", async () => {
  const core = await load("core.js");
  const url = (variant: simdgrad.Variant) => new URL(`./simdgrad/${variant}.wasm`, import.meta.url);
  const runtime = await core.init({ url: { strict: url("strict"), relaxed: url("relaxed") } });
  assert.equal(runtime.variant, capabilities().recommended);
  assert.deepEqual(square(runtime), SQUARE);
});

test("what is served in place of a binary is refused with a reason", async () => {
  const core = await load("core.js");
  await assert.rejects(core.init({ url: new URL("./program.js", import.meta.url) }), { code: "ERR_ARGUMENT" });
  await assert.rejects(core.init({ url: new URL("./nothing.wasm", import.meta.url) }), { code: "ERR_LOAD" });
});
