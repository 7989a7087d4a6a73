/** Structures of tensors: one tensor, or arrays and plain objects of them, such as a network's parameters by name. */
import * as check from "../check.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import { Value } from "./value.js";

/** A value, or arrays and plain objects of values. */
export type ValueTree = Value | readonly ValueTree[] | { readonly [name: string]: ValueTree };

/** The same structure with tensors in place of values. */
export type TensorsOf<Tree> = Tree extends Value ? Tensor : { readonly [Key in keyof Tree]: TensorsOf<Tree[Key]> };

/** A leaf of a tree, and how to get there: "variables.layers[0].W". */
export interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** The leaves of a tree in order; whoever contains itself is refused. */
export function leavesOf(operation: string, tree: unknown, name = "variables"): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const around = new Set<unknown>();
  const visit = (value: unknown, path: string): void => {
    if (!isBranch(value)) {
      leaves.push({ path, value });
      return;
    }
    if (around.has(value)) {
      throw new ArgumentError(`${operation}: ${path} contains itself, a cycle; variables must form a tree.`);
    }
    around.add(value);
    if (Array.isArray(value)) value.forEach((part, i) => visit(part, `${path}[${String(i)}]`));
    else for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`);
    around.delete(value);
  };
  visit(tree, name);
  return leaves;
}

/** A tree of the same structure with other leaves, in order. */
export function withLeaves(tree: unknown, leaves: readonly unknown[]): unknown {
  let next = 0;
  const copy = (value: unknown): unknown => {
    if (!isBranch(value)) return leaves[next++];
    if (Array.isArray(value)) return value.map(copy);
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
  };
  return copy(tree);
}

/** Leaves of another tree that is to have the structure of `leaves`. */
export function alike(operation: string, name: string, tree: unknown, leaves: readonly Leaf[]): readonly unknown[] {
  const others = leavesOf(operation, tree, name);
  const expected = leaves.map(({ path }) => path.replace(/^variables/, name));
  expected.forEach((path, i) => {
    if (others[i]?.path === path) return;
    throw new ShapeError(`${operation}: ${name} has no ${path}; it must be built as the variables are.`);
  });
  return others.map(({ value }) => value);
}

/** Tensors and values are leaves, as is whatever is no array and no plain object. */
function isBranch(value: unknown): value is readonly unknown[] | Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || value instanceof Value || check.isTensor(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}
