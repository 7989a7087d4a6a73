import { test } from "node:test";
import { testVariants, type Call } from "../support/harness.js";
import { kernelModule } from "../support/kernels.js";
import { Random } from "../support/random.js";
// Each adds its rows to the table.
import "./cases/activations.js";
import "./cases/batchNorm.js";
import "./cases/data.js";
import "./cases/elementwise.js";
import "./cases/groupNorm.js";
import "./cases/losses.js";
import "./cases/matmul.js";
import "./cases/optimizers.js";
import "./cases/random.js";
import "./cases/reductions.js";
import "./cases/selections.js";
import "./cases/softmax.js";
import { CASES } from "./cases/table.js";

for (const { kernel, calls, inPlace } of CASES) {
  testVariants(kernel, "every shape, placement and aliasing", (harness) => {
    calls.forEach((build, i) => {
      for (const aliases of [{}, ...inPlace]) {
        const call = build(new Random(i + 1), harness);
        if (!sameLength(call, aliases)) continue;
        harness.run(call, { at: "low", offset: i }, aliases);
        for (const operand of Object.keys(call.operands).filter((name) => !(name in aliases))) {
          for (const at of ["first", "last", "middle"] as const) harness.run(call, { at, operand }, aliases);
        }
      }
    });
  });
}

/** Whether each output is as long as the input whose memory it takes (with other strides it is not). */
function sameLength({ operands }: Call, aliases: Record<string, string>): boolean {
  return Object.entries(aliases).every(([to, from]) => operands[to]!.before.length === operands[from]!.before.length);
}

test("every exported kernel has a row in the table of cases", () => {
  const exported = WebAssembly.Module.exports(kernelModule("strict")).filter(({ kind }) => kind === "function");
  const covered = new Set<string>(CASES.map(({ kernel }) => kernel));
  const missing = exported.map(({ name }) => name).filter((name) => !name.endsWith("Size") && !covered.has(name));
  if (missing.length > 0) throw new Error(`No case in tests/kernels/cases/ for ${missing.join(", ")}.`);
});
