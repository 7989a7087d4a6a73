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
  /** The same by kernels, taken where nobody differentiates the backward pass. */
  readonly backwardKernels?: (
    dy: Tensor,
    inputs: TensorsFor<Inputs>,
    y: Tensor,
    needs: readonly boolean[],
  ) => readonly (Tensor | undefined)[];
}

/** How a value came about. */
interface Origin {
  readonly gate: Gate;
  readonly inputs: readonly Value[];
}

/** How many values were made: inputs come before results, so that the graph has no cycle. */
let made = 0;
/** The differentiations that record now, a bit for each. */
let recording = 0;
/** How many differentiations stand around this one. */
let depth = 0;
const MAX_DEPTH = 31;

/** A result of gates: a tensor, and how it came about where somebody differentiates it. Made by gates and by grad. */
export class Value {
  readonly tensor: Tensor;
  readonly #origin: Origin | undefined;
  /** The differentiations whose variables it depends on, a bit for each. */
  readonly #depends: number;
  readonly #order = ++made;

  private constructor(tensor: Tensor, origin: Origin | undefined, depends: number) {
    this.tensor = tensor;
    this.#origin = origin;
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
    return new Value(tensor, undefined, 0);
  }

  /** The result of a gate, recorded where one of its inputs depends on a variable. */
  static apply<Inputs extends readonly Value[]>(gate: Gate<Inputs>, operands: OperandsFor<Inputs>): Value {
    const inputs = toValues(gate.name, operands);
    let depends = 0;
    for (const input of inputs) depends |= input.#depends;
    depends &= recording;
    const tensor = gate.forward(tensorsOf(inputs) as TensorsFor<Inputs>, depends !== 0);
    checkResult(gate.name, tensor, inputs);
    return new Value(tensor, depends ? { gate: gate as unknown as Gate, inputs } : undefined, depends);
  }

  /**
   * Calls f on fresh variables that stand for `at`, then `use` with its results and the function that pulls gradients of the
   * results back to the variables. What `use` computes is recorded for the differentiations around this one alone.
   */
  static differentiate<Result>(
    operation: string,
    at: readonly Value[],
    f: (variables: readonly Value[]) => readonly Value[],
    use: (y: readonly Value[], pull: (dy: readonly Value[]) => readonly (Value | undefined)[]) => Result,
  ): Result {
    if (depth === MAX_DEPTH) {
      throw new ArgumentError(`${operation}: differentiations stand ${String(MAX_DEPTH)} deep; that is the most.`);
    }
    const bit = 1 << depth++;
    const around = recording;
    try {
      recording = around | bit;
      const variables = at.map((x) => {
        const depends = x.#depends & around;
        return new Value(x.tensor, depends ? { gate: IDENTITY, inputs: [x] } : undefined, depends | bit);
      });
      const y = f(variables);
      recording = around;
      return use(y, (dy) => Value.#pull(y, dy, variables, bit));
    } finally {
      recording = around;
      depth--;
    }
  }

  /** The gradient of each variable: upstream times local at every gate, added up where paths converge. */
  static #pull(
    y: readonly Value[],
    dy: readonly Value[],
    variables: readonly Value[],
    bit: number,
  ): readonly (Value | undefined)[] {
    const gradients = new Map<Value, Value>();
    const accumulate = (value: Value, gradient: Value): void => {
      const sum = gradients.get(value);
      gradients.set(value, sum ? Value.apply(ADDITION, [sum, gradient]) : gradient);
    };
    y.forEach((value, i) => accumulate(value, dy[i] as Value));
    const ends = new Set(variables);
    for (const value of Value.#reverseOrder(y, ends, bit)) {
      const gradient = gradients.get(value);
      if (!gradient || !value.#origin || ends.has(value)) continue;
      gradients.delete(value);
      const { inputs } = value.#origin;
      Value.#backward(value.#origin, gradient, value, bit).forEach((part, i) => {
        if (part) accumulate(inputs[i] as Value, part);
      });
    }
    return variables.map((variable) => gradients.get(variable));
  }

  /** The values between y and the variables, results before inputs. */
  static #reverseOrder(y: readonly Value[], ends: ReadonlySet<Value>, bit: number): readonly Value[] {
    const found = new Set<Value>();
    const stack = [...y];
    for (let value = stack.pop(); value; value = stack.pop()) {
      if (!(value.#depends & bit) || found.has(value)) continue;
      found.add(value);
      if (!ends.has(value) && value.#origin) stack.push(...value.#origin.inputs);
    }
    return [...found].sort((a, b) => b.#order - a.#order);
  }

  /** The gradients of a gate's inputs, checked. */
  static #backward({ gate, inputs }: Origin, dy: Value, y: Value, bit: number): readonly (Value | undefined)[] {
    const needs = inputs.map((input) => (input.#depends & bit) !== 0);
    let depends = dy.#depends;
    for (const input of inputs) depends |= input.#depends;
    const parts =
      gate.backwardKernels && (depends & recording) === 0
        ? gate
            .backwardKernels(dy.tensor, tensorsOf(inputs), y.tensor, needs)
            .map((part) => part && Value.constant(part))
        : gate.backward(dy, inputs, y, needs);
    checkParts(gate.name, parts, inputs);
    return parts.map((part, i) => (needs[i] ? part : undefined));
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

/** As many gradients as inputs, each of its input's shape. */
function checkParts(name: string, parts: readonly (Value | undefined)[], inputs: readonly Value[]): void {
  if (!Array.isArray(parts) || parts.length !== inputs.length) {
    check.argument(name, "backward's result", parts, `an array of ${String(inputs.length)}: a gradient for each input`);
  }
  parts.forEach((part: Value | undefined, i) => {
    if (part === undefined) return;
    if (!(part instanceof Value))
      check.argument(name, `backward's gradient ${String(i)}`, part, "a value or undefined");
    const { shape } = inputs[i] as Value;
    if (check.sameShape(part.shape, shape)) return;
    throw new ShapeError(
      `${name}: backward gave ${check.showShape(part.shape)} for input ${String(i)}, which is ` +
        `${check.showShape(shape)}; a gradient has the shape of its input.`,
    );
  });
}
