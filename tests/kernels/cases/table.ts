/**
 * The table of cases: every kernel, the shapes it runs in, its reference and its tolerance. table.test.ts runs each row in
 * each variant, at every placement and in place where a row allows it. The files beside this one add the rows, one file for
 * each of assembly/'s families; a kernel without a row fails.
 */
import type { Call, Harness } from "../../support/harness.js";
import type { KernelName } from "../../support/kernels.js";
import type { Random } from "../../support/random.js";
import { printShape } from "../calls.js";

export interface Case {
  kernel: KernelName;
  /** One call per shape. */
  calls: ((random: Random, harness: Harness) => Call)[];
  /** Outputs that may share the memory of an input. */
  inPlace: Record<string, string>[];
}

export interface Row<Shape> {
  shapes: readonly Shape[];
  call: (shape: Shape, random: Random, harness: Harness) => Pick<Call, "operands" | "arguments">;
  inPlace?: Record<string, string>[];
}

const cases: Case[] = [];

/** All rows that have been added. */
export const CASES: readonly Case[] = cases;

/** Adds a row: a kernel in some shapes. One kernel may have several. */
export function add<Shape extends object>(kernel: KernelName, { shapes, call, inPlace = [] }: Row<Shape>): void {
  cases.push({
    kernel,
    calls: shapes.map((shape) => (random, harness) => ({
      kernel,
      shape: printShape(shape),
      ...call(shape, random, harness),
    })),
    inPlace,
  });
}
