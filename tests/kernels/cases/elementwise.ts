/** Functions of two or three matrices, each of which may be broadcast, have gaps or lie transposed. */
import { add as sum, BINARY, select, type BinaryKernel } from "../../reference/elementwise.js";
import type { Operand } from "../../support/harness.js";
import type { KernelName } from "../../support/kernels.js";
import { Layout } from "../../support/layout.js";
import { anyFloats, mixed, type Random } from "../../support/random.js";
import { nans, type Strides } from "../calls.js";
import { COUNTS } from "./shapes.js";
import { add } from "./table.js";

interface Shape {
  rows: number;
  cols: number;
  /** The row stride of the result beyond `cols`. */
  gap: number;
  /** The strides of each input; by default its rows follow each other. */
  strides: (Strides | undefined)[];
}

/** Every way for `inputs` matrices to take part: plain, with gaps, a row, a column or an element for all, transposed, backwards. */
function shapesOf(inputs: number): Shape[] {
  const shapes: Shape[] = [];
  const plain = Array.from({ length: inputs }, () => undefined);
  for (const cols of COUNTS) shapes.push({ rows: 1, cols, gap: 0, strides: plain });
  for (const [rows, cols] of [
    [3, 1],
    [4, 7],
    [3, 8],
    [5, 21],
    [0, 5],
    [-1, 5],
    [-2, -3],
  ] as const) {
    const width = Math.max(cols, 0);
    shapes.push({ rows, cols, gap: 0, strides: plain }, { rows, cols, gap: 3, strides: plain });
    const ways: Strides[] = [
      [width + 3, 1],
      [0, 1],
      [1, 0],
      [0, 0],
      [1, Math.max(rows, 0) + 1],
      [-width - 1, -1],
    ];
    ways.forEach((way, i) => {
      for (let k = 0; k < inputs; k++) {
        shapes.push({ rows, cols, gap: 0, strides: plain.map((_, at) => (at === k ? way : undefined)) });
        // The others take part in the next way, and the one after it.
        shapes.push({ rows, cols, gap: 3, strides: plain.map((_, at) => ways[(i + at + k) % ways.length]) });
      }
    });
  }
  return shapes;
}

/** The inputs where they lie, and their elements in the order of the result's. */
function inputsOf({ rows, cols, gap, strides }: Shape, random: Random) {
  const [height, width] = [Math.max(rows, 0), Math.max(cols, 0)];
  return strides.map((way, at) => {
    const layout = new Layout(height, width, ...(way ?? [cols + gap, 1]));
    const before = at % 2 ? anyFloats(random, layout.length) : mixed(random, layout.length);
    const values = Float64Array.from({ length: height * width }, (_, i) => {
      return before[layout.index(Math.floor(i / width), i % width)]!;
    });
    return { before, origin: layout.origin, values, strides: [layout.rowStride, layout.columnStride] };
  });
}

/** A kernel's function of an element of each input. */
interface Elementwise extends Pick<BinaryKernel, "tolerance" | "scalars"> {
  reference: (...inputs: number[]) => number;
  magnitude?: (...inputs: number[]) => number;
}

/** One call: z, the inputs by name, the shape, every stride, scalars. */
function call(shape: Shape, names: readonly string[], random: Random, kernel: Elementwise) {
  const { rows, cols, gap } = shape;
  const inputs = inputsOf(shape, random);
  const z = new Layout(Math.max(rows, 0), Math.max(cols, 0), cols + gap);
  const of = (f: (...x: number[]) => number) =>
    Float64Array.from({ length: z.rows * z.columns }, (_, i) => f(...inputs.map(({ values }) => values[i]!)));
  const expected = { values: of(kernel.reference), magnitude: of(kernel.magnitude ?? (() => 0)) };
  const after = z.expect(expected, kernel.tolerance, [0, z.rows], [0, z.columns]);
  const operands: Record<string, Operand> = { z: { before: nans(z.length), after } };
  inputs.forEach(({ before, origin }, at) => (operands[names[at]!] = { before, origin }));
  const strides = [z.rowStride, ...inputs.flatMap((input) => input.strides)];
  return {
    operands,
    arguments: (p: Record<string, number>) => [
      ...["z", ...names].map((name) => p[name]!),
      ...[rows, cols, ...strides, ...kernel.scalars],
    ],
  };
}

function binary(name: KernelName, kernel: BinaryKernel): void {
  add(name, {
    shapes: shapesOf(2),
    call: (shape, random) => call(shape, ["x", "y"], random, kernel),
    inPlace: [{ z: "x" }, { z: "y" }],
  });
}

for (const alpha of [1, -1, Math.fround(0.3)]) binary("add", sum(alpha));
for (const [name, kernel] of Object.entries(BINARY)) binary(name as KernelName, kernel);

add("select", {
  shapes: shapesOf(3),
  call: (shape, random) =>
    call(shape, ["condition", "x", "y"], random, { reference: select, tolerance: "exact", scalars: [] }),
  inPlace: [{ z: "condition" }, { z: "x" }, { z: "y" }],
});
