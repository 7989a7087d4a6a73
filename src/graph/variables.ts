/** What a function is differentiated by: one tensor, or arrays and plain objects of them, such as parameters by name. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tensor } from "../tensor.js";
import { Value } from "./value.js";

/** What a function of values, or of arrays and plain objects of them, takes at tensors: the same structure of those. */
export type TensorsOf<Tree> = Tree extends Value ? Tensor : { readonly [Key in keyof Tree]: TensorsOf<Tree[Key]> };

/** A leaf of a tree, and how to get there: ".layers[0].W". */
interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** A tree's leaves as values, checked, and the way back to its structure. */
export class Variables {
  readonly inputs: readonly Value[];
  readonly runtime: Runtime;
  /** Whether there are values among them, so that another differentiation stands around. */
  readonly nested: boolean;
  readonly #operation: string;
  readonly #tree: unknown;
  readonly #leaves: readonly Leaf[];

  constructor(operation: string, tree: unknown) {
    const leaves = leavesOf(operation, "variables", tree);
    if (leaves.length === 0) check.argument(operation, "variables", tree, "a tensor or contain one");
    this.inputs = leaves.map(({ path, value }) => toValue(operation, `variables${path}`, value));
    this.runtime = (this.inputs[0] as Value).tensor.runtime;
    this.nested = leaves.some(({ value }) => value instanceof Value);
    this.#operation = operation;
    this.#tree = tree;
    this.#leaves = leaves;
  }

  /** How to get to each leaf: "" for a lone tensor, ".layers[0].W". */
  get paths(): readonly string[] {
    return this.#leaves.map(({ path }) => path);
  }

  /** A tree of the same structure with these leaves. */
  rebuild(leaves: readonly unknown[]): unknown {
    let next = 0;
    const copy = (value: unknown): unknown => {
      if (!isBranch(value)) return leaves[next++];
      if (Array.isArray(value)) return value.map(copy);
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
    };
    return copy(this.#tree);
  }

  /** The tensors of another tree, which must have this structure and these shapes. */
  alike(name: string, tree: unknown): readonly Tensor[] {
    const operation = this.#operation;
    const others = leavesOf(operation, name, tree);
    const tensors = this.#leaves.map(({ path }, i) => {
      const other = others[i]?.path === path ? others[i] : others.find((leaf) => leaf.path === path);
      if (!other) {
        const problem = path === "" ? `${name} is ${check.show(tree)}` : `${name}${path} is missing`;
        throw new ShapeError(`${operation}: ${problem}; ${name} must be built as the variables are.`);
      }
      const tensor = check.floats(operation, name + path, other.value as Tensor, this.runtime) as Tensor;
      const { shape } = this.inputs[i] as Value;
      return check.shape(operation, name + path, tensor, shape, "the shape of its variable");
    });
    if (others.length === tensors.length) return tensors;
    const extra = others.find(({ path }) => this.#leaves.every((leaf) => leaf.path !== path)) as Leaf;
    throw new ShapeError(
      `${operation}: ${name}${extra.path} is no variable; ${name} must be built as the variables are.`,
    );
  }
}

/** A value or a live float32 tensor, as a value. */
export function toValue(operation: string, name: string, given: unknown): Value {
  const tensor = given instanceof Value ? given.tensor : (given as Tensor);
  const runtime = check.runtimeOf(operation, name, tensor);
  check.floats(operation, name, tensor, runtime);
  return given instanceof Value ? given : Value.constant(tensor);
}

/** The leaves of a tree in order; whoever contains itself is refused. */
function leavesOf(operation: string, name: string, tree: unknown): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const around = new Set<unknown>();
  const visit = (value: unknown, path: string): void => {
    if (!isBranch(value)) {
      leaves.push({ path, value });
      return;
    }
    if (around.has(value)) {
      throw new ArgumentError(`${operation}: ${name}${path} contains itself, a cycle; ${name} must form a tree.`);
    }
    around.add(value);
    if (Array.isArray(value)) value.forEach((part, i) => visit(part, `${path}[${String(i)}]`));
    else for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`);
    around.delete(value);
  };
  visit(tree, "");
  return leaves;
}

/** Tensors and values are leaves, as is whatever is no array and no plain object. */
function isBranch(value: unknown): value is readonly unknown[] | Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || value instanceof Value || check.isTensor(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
