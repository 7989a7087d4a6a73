/**
 * A transform of the AssemblyScript compiler that leaves the register tiles' instructions in the order in which they are written,
 * and unrolls their loop.
 *
 * The optimizer moves each product to the sum that takes it, and each sum to the next that needs it. Engines emit vector
 * instructions as they come, and a processor is not indifferent: with its products in pairs before their sums, the strict tile
 * does 56 GFLOP/s where 58 is the peak, with each product before its own sum 49 (Node 24, AMD EPYC Zen 4). So the optimizer gets the
 * tiles as imports, which it can neither change nor inline, and they come back when it has finished.
 */

/** The functions that are kept, by their names in the compiler. */
const KEPT = /^assembly\/matmul\/microkernel\/tiles</;

/** What makes a kept function smaller without moving anything. */
const PASSES = [
  "precompute-propagate",
  "optimize-instructions",
  "remove-unused-brs",
  "remove-unused-names",
  "merge-blocks",
  "vacuum",
  "coalesce-locals",
  "reorder-locals",
  "vacuum",
];

/** Those that are unrolled: the tall ones. Engines unroll a loop as small as the others' themselves. */
const UNROLLED = /\/(Four|Five|Six),/;

/** Steps of a turn of the unrolled loop. */
const STEPS = 16;

/** @typedef {number} Expression */
/** @typedef {{ id: number, body: Expression, condition: Expression, ifTrue: Expression, children?: Expression[] }} ExpressionInfo */
/** @typedef {{ name: string, params: number, results: number, vars: number[], body: Expression }} FunctionInfo */
/**
 * What is used here of the optimizer's own library, whose declarations leave some of it out.
 * @typedef {object} Binaryen
 * @property {(reference: number) => FunctionInfo} getFunctionInfo
 * @property {(expression: Expression) => ExpressionInfo} getExpressionInfo
 * @property {{ getBody(loop: Expression): Expression, setBody(loop: Expression, body: Expression): void }} Loop
 * @property {number} LoopId
 */
/**
 * @typedef {object} Module
 * @property {() => number} getNumFunctions
 * @property {(index: number) => number} getFunctionByIndex
 * @property {(name: string) => void} removeFunction
 * @property {(name: string, module: string, base: string, params: number, results: number) => void} addFunctionImport
 * @property {(name: string, params: number, results: number, vars: number[], body: Expression) => number} addFunction
 * @property {(reference: number, passes: string[]) => void} runPassesOnFunction
 * @property {(expression: Expression) => Expression} copyExpression
 * @property {(label: string | null, children: Expression[]) => Expression} block
 * @property {(condition: Expression, ifTrue: Expression) => Expression} if
 */
/** @typedef {{ binaryen: Binaryen, program: { module: { optimize(...args: unknown[]): void } } }} Compiler */

export default class InOrder {
  /** The compiler has no hook behind its optimizer, so this one goes around it. */
  afterCompile(/** @type {Module} */ module) {
    const { binaryen, program } = /** @type {Compiler} */ (/** @type {unknown} */ (this));
    const optimize = program.module.optimize.bind(program.module);
    program.module.optimize = (...args) => {
      const functions = Array.from({ length: module.getNumFunctions() }, (_, index) =>
        binaryen.getFunctionInfo(module.getFunctionByIndex(index)),
      );
      const kept = functions.filter(({ name }) => KEPT.test(name));
      if (kept.length === 0) throw new Error(`No function matches ${String(KEPT)}.`);
      for (const { name, params, results } of kept) {
        module.removeFunction(name);
        module.addFunctionImport(name, "kept", name, params, results);
      }
      optimize(...args);
      for (const { name, params, results, vars, body } of kept) {
        module.removeFunction(name);
        const restored = module.addFunction(name, params, results, vars, body);
        module.runPassesOnFunction(restored, PASSES);
        if (UNROLLED.test(name)) unroll(binaryen, module, binaryen.getFunctionInfo(restored).body);
      }
    };
  }
}

/**
 * while (c) { s } becomes while (c) { s; if (c) { s; if (c) { s; … } } }: the engine's check for interrupts and the addresses that
 * all steps share come once in `STEPS`.
 */
function unroll(/** @type {Binaryen} */ binaryen, /** @type {Module} */ module, /** @type {Expression} */ body) {
  const loop = findLoop(binaryen, body);
  if (loop === undefined) throw new Error("A tile without a loop.");
  const { condition, ifTrue } = binaryen.getExpressionInfo(binaryen.Loop.getBody(loop));
  const step = binaryen.getExpressionInfo(ifTrue).children ?? [];
  const statements = step.slice(0, -1); // the last one repeats the loop
  let turn = module.block(null, step);
  for (let more = 1; more < STEPS; ++more) {
    const copies = statements.map((statement) => module.copyExpression(statement));
    turn = module.block(null, [...copies, module.if(module.copyExpression(condition), turn)]);
  }
  binaryen.Loop.setBody(loop, module.if(condition, turn));
}

/**
 * The innermost of the loops in an expression, each of which holds one at most.
 * @returns {Expression | undefined}
 */
function findLoop(/** @type {Binaryen} */ binaryen, /** @type {Expression} */ expression) {
  const { id, body, children = [] } = binaryen.getExpressionInfo(expression);
  const isLoop = id === binaryen.LoopId;
  for (const child of isLoop ? [body] : children) {
    const loop = findLoop(binaryen, child);
    if (loop !== undefined) return loop;
  }
  return isLoop ? expression : undefined;
}
