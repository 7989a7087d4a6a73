/** Under a content security policy without 'wasm-unsafe-eval' init says so. It neither hangs nor throws anything else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilities, init, initSync } from "../../src/index.js";

const refusal = {
  code: "ERR_UNSUPPORTED_ENGINE",
  missing: /^leave to compile WebAssembly \(.+\)$/s,
  message: /a content security policy must allow 'wasm-unsafe-eval'\.$/,
};

for (const variant of ["auto", "strict"] as const) {
  test(`${variant}: init rejects, initSync throws`, async () => {
    await assert.rejects(init({ variant }), refusal);
    assert.throws(() => initSync({ variant }), refusal);
  });
}

test("capabilities says that nothing may be compiled", () => {
  assert.match(capabilities().reason, /content security policy|has no relaxed SIMD/);
});
