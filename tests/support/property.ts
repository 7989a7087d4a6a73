import fc from "fast-check";
import type { TestContext } from "node:test";

/** Checks a property with a seed of the clock, or of the environment's SEED, and prints it: a failure can be repeated. */
export function checkProperty<T>(t: TestContext, property: fc.IProperty<T>, numRuns: number): void {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${String(seed)}, ${String(numRuns)} runs`);
  fc.assert(property, { seed, numRuns, includeErrorInReport: true });
}
