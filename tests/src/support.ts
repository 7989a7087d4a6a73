import assert from "node:assert/strict";
import { test } from "node:test";
import {
  capabilities,
  initSync,
  type ErrorCode,
  type Runtime,
  type SimdgradError,
  type Variant,
} from "../../src/index.js";

const engine = capabilities();

/** Every variant, and why a test must be skipped where this engine cannot run it. */
export const VARIANTS: readonly { readonly variant: Variant; readonly skip: string | false }[] = [
  { variant: "strict", skip: engine.simd ? false : "this engine has no SIMD" },
  { variant: "relaxed", skip: engine.relaxedSimd ? false : "this engine has no relaxed SIMD" },
];

/** node:test's `test` with a fixed `skip`: a suite that is skipped as a whole would not count its tests. */
export function skippable(skip: string | false): (name: string, work: () => unknown) => void {
  return (name, work) => void test(name, { skip }, async () => void (await work()));
}

/** Runtimes are cheap to keep: one for each variant serves all tests that do not look at the whole memory. */
const runtimes = new Map<Variant, Runtime>();
export function runtimeOf(variant: Variant): Runtime {
  let runtime = runtimes.get(variant);
  if (!runtime) runtimes.set(variant, (runtime = initSync({ variant })));
  return runtime;
}

/** Asserts that `call` throws a SimdgradError with this code and exactly this message. */
export function throws(call: () => unknown, code: ErrorCode, message: string): void {
  assert.throws(call, (error: SimdgradError) => {
    assert.equal(error.code, code, error.stack);
    assert.equal(error.message, message);
    return true;
  });
}

/** Likewise, and that not a byte of the runtime's memory changed nor a byte was allocated. */
export function refuses(runtime: Runtime, call: () => unknown, code: ErrorCode, message: string): void {
  const memory = runtime.heapU8.slice();
  const { bytesInUse } = runtime.statistics;
  throws(call, code, message);
  assert.equal(runtime.statistics.bytesInUse, bytesInUse, `${message} allocated`);
  assert.ok(sameBytes(memory, runtime.heapU8), `${message} wrote`);
}

/** As `refuses`, for calls that reject. */
export async function rejects(
  runtime: Runtime,
  call: () => Promise<unknown>,
  code: ErrorCode,
  message: string,
): Promise<void> {
  const memory = runtime.heapU8.slice();
  const { bytesInUse } = runtime.statistics;
  await assert.rejects(call, (error: SimdgradError) => {
    assert.equal(error.code, code, error.stack);
    assert.equal(error.message, message);
    return true;
  });
  assert.equal(runtime.statistics.bytesInUse, bytesInUse, `${message} allocated`);
  assert.ok(sameBytes(memory, runtime.heapU8), `${message} wrote`);
}

/** Compares whole memories, word by word: they are pages long. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const [words, others] = [a, b].map(
    ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4),
  );
  return a.length === b.length && words!.every((word, i) => word === others![i]);
}

/** A typed array whose buffer was transferred. */
export function detached<T extends Float32Array | Int32Array | Uint8Array>(array: T): T {
  structuredClone(array, { transfer: [array.buffer as ArrayBuffer] });
  return array;
}
