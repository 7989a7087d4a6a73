import * as graph from "../../src/graph.js";
import * as derivatives from "../reference/derivatives.js";
import { runtimeOf, skippable, VARIANTS } from "../src/support.js";
import { expectClose } from "../support/compare.js";
import { Random } from "../support/random.js";
import { cases, sizeOf, type GateCase } from "./cases.js";

type Values = readonly graph.Value[];

const { grad } = graph;

/** Sums of a few dozen products of numbers below 2, in float32. */
const TOLERANCE = { absolute: 2e-5 };
/** Likewise, twice through, beside second differences of float64. */
const SECOND_TOLERANCE = { absolute: 2e-4 };

/** Numbers that are float32, which gate and reference take alike. */
function draw(random: Random, { shapes, range = [-1, 1] }: GateCase): Float64Array[] {
  return shapes.map((shape) => Float64Array.from(random.floats(sizeOf(shape), ...range)));
}

for (const { variant, skip } of VARIANTS) {
  for (const gateCase of cases) {
    const { name, shapes } = gateCase;
    const gate = gateCase.gate as (...inputs: readonly graph.Operand[]) => graph.Value;
    const reference = gateCase.reference as (...inputs: readonly Float64Array[]) => ArrayLike<number>;
    skippable(skip)(`${name}: value, gradient and second derivative, ${variant}`, () => {
      const runtime = runtimeOf(variant);
      runtime.scope(() => {
        const random = new Random(5);
        const inputs = draw(random, gateCase);
        const tensors = inputs.map((input, i) => runtime.tensor(input, shapes[i]));
        const y = gate(...tensors);
        expectClose(name, "y", y.toArray(), { values: reference(...inputs), tolerance: TOLERANCE });

        const seedValues = Float64Array.from(random.floats(y.tensor.size));
        const seed = runtime.tensor(seedValues, y.shape);
        const seeded = (at: readonly Float64Array[]) =>
          Array.from(reference(...at)).reduce((sum, value, i) => sum + value * seedValues[i]!, 0);
        const f = (values: Values) => gate(...values);
        const gradient = grad(f)(tensors, { seed });
        derivatives.gradient(seeded, inputs).forEach((values, i) => {
          expectClose(name, `gradient ${i}`, gradient[i]!.toArray(), { values, tolerance: TOLERANCE });
        });

        // H·v = Σ of the gradients of ∂f/∂xᵢ · vᵢ.
        const v = draw(random, { ...gateCase, range: [-1, 1] });
        const products = inputs.map(({ length }) => new Float64Array(length));
        v.forEach((direction, i) => {
          const part = grad((values: Values) => grad(f)(values, { seed })[i]!);
          const along = part(tensors, { seed: runtime.tensor(direction, shapes[i]) });
          along.forEach((tensor, k) => tensor.toArray().forEach((value, j) => (products[k]![j]! += value)));
        });
        derivatives.hessianVectorProduct(seeded, inputs, v).forEach((values, i) => {
          expectClose(name, `H·v ${i}`, products[i]!, { values, tolerance: SECOND_TOLERANCE });
        });
      });
    });
  }
}
