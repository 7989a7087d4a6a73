/**
 * Reverse-mode differentiation over tensors: values that remember the gates they came from, and the pass back through them.
 * A gate's backward is written in gates, so that a backward pass can itself be recorded and differentiated.
 */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Runtime } from "../runtime/runtime.js";
import { add } from "../ops/elementwise.js";
import type { Tensor } from "../tensor.js";

/** What a gate takes: a value, a tensor (a constant) or a number. */
export type Operand = Value | Tensor | number;

/** A tensor for each value of a tuple. */
export type TensorsFor<Inputs extends readonly unknown[]> = { readonly [Key in keyof Inputs]: Tensor };
type OperandsFor<Inputs extends readonly unknown[]> = { readonly [Key in keyof Inputs]: Operand };

/** A function and its gradient. */
export interface Gate<Inputs extends readonly Value[] = readonly Value[]> {
  /** For messages. */
  readonly name: string;
  /** The result as a new tensor. `recorded` says whether a backward pass may come. */
  readonly forward: (inputs: TensorsFor<Inputs>, recorded: boolean) => Tensor;
  /**
   * The gradient of each input, of the input's shape, from the gradient dy of the result y; undefined where it is 0. Made of
   * gates, so that it can be differentiated again. What `needs` denies may be left undefined, too.
   */
  readonly backward: (dy: Value, inputs: Inputs, y: Value, needs: readonly boolean[]) => readonly (Value | undefined)[];
  /**
   * The same by kernels, taken where nobody differentiates the backward pass. A gradient may be written to its tensor in `outs`
   * where there is one, which saves a copy.
   */
  readonly backwardKernels?: (
    dy: Tensor,
    inputs: TensorsFor<Inputs>,
    y: Tensor,
    needs: readonly boolean[],
    outs: readonly (Tensor | undefined)[],
  ) => readonly (Tensor | undefined)[];
}

/**
 * Pulls gradients of results back to variables. A variable's gradient may come in its tensor of `outs`, or elsewhere.
 */
export type Pull = (dy: readonly Value[], outs?: readonly Tensor[]) => readonly (Value | undefined)[];

/** What a gate did: the way back to its inputs. */
interface Step {
  readonly gate: Gate;
  readonly inputs: readonly Value[];
  readonly y: Value;
}

/**
 * What each differentiation around this point has recorded, the outermost first. Inputs come before results, so that a tape read
 * backward meets every result before what it was made of, and the graph has no cycle.
 */
const tapes: Step[][] = [];
/** Which of them record now, a bit for each. */
let recording = 0;
const MAX_DEPTH = 31;

/** A result of gates: a tensor, and the variables it depends on where somebody differentiates it. Made by gates and by grad. */
export class Value {
  readonly tensor: Tensor;
  /** The differentiations whose variables it depends on, a bit for each. */
  readonly #depends: number;

  private constructor(tensor: Tensor, depends: number) {
    this.tensor = tensor;
    this.#depends = depends;
  }

  get shape(): readonly number[] {
    return this.tensor.shape;
  }

  /** A copy of the elements, row by row. */
  toArray(): Float32Array {
    return this.tensor.toArray();
  }

  toString(): string {
    return this.tensor.toString();
  }

  /** A value that depends on nothing. */
  static constant(tensor: Tensor): Value {
    return new Value(tensor, 0);
  }

  /** The result of a gate, recorded where one of its inputs depends on a variable. */
  static apply<Inputs extends readonly Value[]>(gate: Gate<Inputs>, operands: OperandsFor<Inputs>): Value {
    const inputs = toValues(gate.name, operands);
    let depends = 0;
    for (const input of inputs) depends |= input.#depends;
    depends &= recording;
    const tensor = gate.forward(tensorsOf(inputs) as TensorsFor<Inputs>, depends !== 0);
    checkResult(gate.name, tensor, inputs);
    return Value.#record(gate as unknown as Gate, inputs, tensor, depends, 0);
  }

  /** The result of a gate, on the tapes of the differentiations that it depends on; `variableOf` are those it is a variable of. */
  static #record(gate: Gate, inputs: readonly Value[], tensor: Tensor, depends: number, variableOf: number): Value {
    const y = new Value(tensor, depends | variableOf);
    for (let i = 0; depends >>> i !== 0; i++) {
      if ((depends >>> i) & 1) (tapes[i] as Step[]).push({ gate, inputs, y });
    }
    return y;
  }

  /**
   * Calls f on fresh variables that stand for `at`, then `use` with its results and the function that pulls gradients of the
   * results back to the variables. What `use` computes is recorded for the differentiations around this one alone.
   */
  static differentiate<Result>(
    operation: string,
    at: readonly Value[],
    f: (variables: readonly Value[]) => readonly Value[],
    use: (y: readonly Value[], pull: Pull) => Result,
  ): Result {
    if (tapes.length === MAX_DEPTH) {
      throw new ArgumentError(`${operation}: differentiations stand ${String(MAX_DEPTH)} deep; that is the most.`);
    }
    const bit = 1 << tapes.length;
    const tape: Step[] = [];
    const around = recording;
    tapes.push(tape);
    try {
      recording = around | bit;
      const variables = at.map((x) => Value.#record(IDENTITY, [x], x.tensor, x.#depends & around, bit));
      const y = f(variables);
      recording = around;
      return use(y, (dy, outs = []) => Value.#pull(tape, y, dy, variables, outs, bit));
    } finally {
      recording = around;
      tapes.pop();
    }
  }

  /** The gradient of each variable: upstream times local at every gate, added up where paths converge. */
  static #pull(
    tape: readonly Step[],
    y: readonly Value[],
    dy: readonly Value[],
    variables: readonly Value[],
    outs: readonly Tensor[],
    bit: number,
  ): readonly (Value | undefined)[] {
    const gradients = new Map<Value, Value>();
    y.forEach((value, i) => accumulate(gradients, value, dy[i]));
    const targets = targetsOf(variables, outs, tape, dy);
    for (let at = tape.length - 1; at >= 0; at--) {
      const step = tape[at] as Step;
      const gradient = gradients.get(step.y);
      if (!gradient) continue;
      gradients.delete(step.y);
      Value.#backward(step, gradient, bit, targets).forEach((part, i) => {
        accumulate(gradients, step.inputs[i] as Value, part);
      });
    }
    return variables.map((variable) => gradients.get(variable));
  }

  /** The gradients of a gate's inputs, checked. Whoever comes first to a variable's target has it. */
  static #backward(
    { gate, inputs, y }: Step,
    dy: Value,
    bit: number,
    targets: Map<Value, Tensor>,
  ): readonly (Value | undefined)[] {
    const needs = inputs.map((input) => (input.#depends & bit) !== 0);
    let depends = dy.#depends;
    for (const input of inputs) depends |= input.#depends;
    if (!gate.backwardKernels || (depends & recording) !== 0) {
      const parts = gate.backward(dy, inputs, y, needs);
      checkParts(gate.name, parts, inputs, "a value or undefined", (part) => part instanceof Value && part.tensor);
      return parts.map((part, i) => (needs[i] ? part : undefined));
    }
    const outs = inputs.map((input) => {
      const target = targets.get(input);
      targets.delete(input);
      return target;
    });
    const parts = gate.backwardKernels(dy.tensor, tensorsOf(inputs), y.tensor, needs, outs);
    checkParts(gate.name, parts, inputs, "a tensor or undefined", (part) => check.isTensor(part) && part);
    return parts.map((part, i) => (needs[i] && part ? Value.constant(part) : undefined));
  }
}

/** Passes a variable of a differentiation on to the one inside it. */
const IDENTITY: Gate = { name: "variable", forward: ([x]) => x as Tensor, backward: (dy) => [dy] };

/** Where paths converge their gradients add up; of equal shapes. */
const ADDITION: Gate<readonly [Value, Value]> = {
  name: "add",
  forward: ([a, b]) => add(a, b),
  backward: (dy) => [dy, dy],
};

/** Adds a part of a value's gradient to those that came before. */
function accumulate(gradients: Map<Value, Value>, value: Value, part: Value | undefined): void {
  if (!part) return;
  const sum = gradients.get(value);
  gradients.set(value, sum ? Value.apply(ADDITION, [sum, part]) : part);
}

/** The tensors of `outs` that kernels may write gradients to: what shares memory with nothing that the backward pass may read. */
function targetsOf(
  variables: readonly Value[],
  outs: readonly Tensor[],
  tape: readonly Step[],
  dy: readonly Value[],
): Map<Value, Tensor> {
  const targets = new Map<Value, Tensor>();
  if (outs.length === 0) return targets;
  const begin = Math.min(...outs.map(({ pointer }) => pointer));
  const end = Math.max(...outs.map(({ pointer, byteLength }) => pointer + byteLength));
  const taken: Tensor[] = [];
  const take = ({ tensor }: Value): void => {
    if (!tensor.disposed && tensor.pointer < end && begin < tensor.pointer + tensor.byteLength) taken.push(tensor);
  };
  for (const { inputs, y } of tape) {
    inputs.forEach(take);
    take(y);
  }
  dy.forEach(take);
  outs.forEach((out, i) => {
    if (taken.some((tensor) => check.overlap(out, tensor))) return;
    targets.set(variables[i] as Value, out);
    taken.push(out);
  });
  return targets;
}

function tensorsOf(values: readonly Value[]): readonly Tensor[] {
  return values.map(({ tensor }) => tensor);
}

/** Operands as values: alive, float32, of one runtime; numbers as tensors of one element. */
function toValues(operation: string, operands: readonly Operand[]): readonly Value[] {
  const first = operands.find((operand) => typeof operand !== "number");
  const runtime = runtimeOf(operation, first);
  return operands.map((operand, i) => {
    if (typeof operand === "number") return Value.constant(runtime.tensor([operand]));
    const value = operand instanceof Value ? operand : undefined;
    check.floats(operation, `input ${String(i)}`, value?.tensor ?? (operand as Tensor), runtime);
    return value ?? Value.constant(operand as Tensor);
  });
}

function runtimeOf(operation: string, operand: Operand | undefined): Runtime {
  if (operand instanceof Value) return operand.tensor.runtime;
  if (!check.isTensor(operand)) check.argument(operation, "an input", operand, "a value, a tensor or a number");
  return operand.runtime;
}

function checkResult(name: string, result: Tensor, inputs: readonly Value[]): void {
  if (!check.isTensor(result)) check.argument(name, "forward's result", result, "a tensor");
  check.floats(name, "forward's result", result, (inputs[0] as Value).tensor.runtime);
}

/** As many gradients as inputs, each of its input's shape; `tensorOf` gives a gradient's tensor, or false where it is none. */
function checkParts<Part>(
  name: string,
  parts: readonly (Part | undefined)[],
  inputs: readonly Value[],
  kind: string,
  tensorOf: (part: Part) => Tensor | false,
): void {
  if (!Array.isArray(parts) || parts.length !== inputs.length) {
    check.argument(name, "backward's result", parts, `an array of ${String(inputs.length)}: a gradient for each input`);
  }
  parts.forEach((part: Part | undefined, i) => {
    if (part === undefined) return;
    const gradient = `backward's gradient ${String(i)}`;
    const tensor = tensorOf(part);
    if (!tensor) check.argument(name, gradient, part, kind);
    const { runtime, shape } = (inputs[i] as Value).tensor;
    check.floats(name, gradient, tensor, runtime);
    if (check.sameShape(tensor.shape, shape)) return;
    throw new ShapeError(
      `${name}: backward gave ${check.showShape(tensor.shape)} for input ${String(i)}, which is ` +
        `${check.showShape(shape)}; a gradient has the shape of its input.`,
    );
  });
}
