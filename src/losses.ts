/**
 * Losses: the value and the gradient of a mean over a batch, in one pass. Each is a function over tensors and, by the same
 * name, what a model trains with.
 */
import * as check from "./check.js";
import { checkOut, floatResult, type OutOption } from "./out.js";
import type { Kernels } from "./runtime/kernels.js";
import type { Runtime } from "./runtime/runtime.js";
import type { Tensor } from "./tensor.js";

/** How softmax cross-entropy counts classes. */
export interface CrossEntropyOptions {
  /** The share of each target that is dealt evenly over all classes, in [0, 1] (Szegedy et al. 2016). */
  readonly labelSmoothing?: number;
  /** What each class's terms are multiplied by, one number of at least 0 for each class. */
  readonly classWeights?: ArrayLike<number>;
}

export interface SquaredErrorOptions {
  /**
   * - "mean" (the default): the mean over rows and columns of (y − target)², as torch.nn.MSELoss.
   * - "sum": the mean over rows of Σ (y − target)², with the gradient 2 (y − target) for one row: ℓ = (h − z)².
   * - "half": the mean over rows of ½ Σ (y − target)² = ½‖y − target‖², with the gradient y − target for one row.
   */
  readonly form?: "mean" | "sum" | "half";
}

export interface HuberOptions {
  /** Where the parabola becomes a line; above 0. */
  readonly delta?: number;
}

/** A loss with options. */
export type LossOptions =
  | ({ readonly name: "softmaxCrossEntropy" | "softmaxCrossEntropyProbabilities" } & CrossEntropyOptions)
  | ({ readonly name: "meanSquaredError" } & SquaredErrorOptions)
  | ({ readonly name: "huber" } & HuberOptions)
  | { readonly name: "sigmoidBinaryCrossEntropy" | "meanAbsoluteError" };

export type LossName = LossOptions["name"];

/** What a model trains with: a name, or a name with options. */
export type LossChoice = LossName | LossOptions;

/** Where a loss finds and puts its numbers: addresses. */
export interface LossMemory {
  /** One for each row. */
  readonly losses: number;
  /** rows × cols, like y. */
  readonly dy: number;
  readonly y: number;
  /** int32 labels, or rows × cols float32 values. */
  readonly targets: number;
  /** Room for a float32 for each column. */
  readonly columns: number;
}

/** A loss, ready to be computed. */
export interface Loss {
  readonly name: LossName;
  /** Class labels, one a row; or values, one for each output. */
  readonly targets: "labels" | "values";
  /**
   * losses[i] ← the sum of row i's terms; dy ← ∂(mean)/∂y. Returns what the sum of all losses must be divided by to be the
   * mean, which over several batches adds up.
   */
  compute(runtime: Runtime, memory: LossMemory, rows: number, cols: number): number;
}

function crossEntropy(name: "softmaxCrossEntropy" | "softmaxCrossEntropyProbabilities") {
  const targets = name === "softmaxCrossEntropy" ? "labels" : "values";
  return (operation: string, options: CrossEntropyOptions, classes: number): Loss => {
    const { labelSmoothing = 0, classWeights } = options;
    check.share(operation, "labelSmoothing", labelSmoothing);
    const weights = classWeights && checkWeights(operation, classWeights, classes);
    const plain = targets === "labels" && labelSmoothing === 0 && !weights;
    return {
      name,
      targets,
      compute({ kernels, heapF32, heapI32 }, { losses, dy, y, targets: given, columns }, rows, cols) {
        if (plain) {
          kernels.softmaxCrossEntropy(losses, dy, y, given, rows, cols, cols, cols, 1 / rows, 0, rows);
          return rows;
        }
        let terms = rows;
        if (weights) {
          heapF32.set(weights, columns >>> 2);
          if (targets === "labels") {
            // As in PyTorch, a mean weighted by the weights of the labels.
            terms = 0;
            const first = given >>> 2;
            for (let i = first; i < first + rows; i++) terms += weights[heapI32[i] as number] as number;
          }
        }
        const probabilities = targets === "values";
        kernels.softmaxCrossEntropyWeighted(
          losses,
          dy,
          y,
          given,
          columns,
          rows,
          cols,
          cols,
          cols,
          probabilities ? cols : 1,
          probabilities ? 1 : 0,
          weights ? 1 : 0,
          labelSmoothing,
          1 / terms,
          0,
          rows,
        );
        return terms;
      },
    };
  };
}

function checkWeights(operation: string, weights: ArrayLike<number>, classes: number): Float32Array {
  if (check.arrayKind(weights) !== "Float32Array" && !Array.isArray(weights)) {
    check.argument(operation, "classWeights", weights, "a Float32Array or an array of numbers");
  }
  check.length(operation, "classWeights", weights, classes, "one weight for each class");
  const copy = Float32Array.from(weights);
  copy.forEach((_, i) => check.rate(operation, `classWeights[${String(i)}]`, weights[i] as number));
  return copy;
}

type Elementwise = (kernels: Kernels, at: LossMemory, rows: number, cols: number, scale: number) => void;

/** A mean over rows and columns, whose derivative the kernel multiplies by `slope` over their number. */
function elementwise(name: LossName, run: Elementwise): Loss {
  return {
    name,
    targets: "values",
    compute({ kernels }, memory, rows, cols) {
      run(kernels, memory, rows, cols, 1 / (rows * cols));
      return rows * cols;
    },
  };
}

function squaredError(operation: string, { form = "mean" }: SquaredErrorOptions): Loss {
  check.oneOf(operation, "form", form, ["mean", "sum", "half"]);
  return {
    name: "meanSquaredError",
    targets: "values",
    compute({ kernels }, { losses, dy, y, targets }, rows, cols) {
      const terms = form === "mean" ? rows * cols : form === "sum" ? rows : 2 * rows;
      kernels.meanSquaredError(losses, dy, y, targets, rows, cols, 2 / terms, 0, rows);
      return terms;
    },
  };
}

/** The losses by name: each checks its options and is then ready for outputs of so many columns. */
const LOSSES: Record<LossName, (operation: string, options: never, cols: number) => Loss> = {
  softmaxCrossEntropy: crossEntropy("softmaxCrossEntropy"),
  softmaxCrossEntropyProbabilities: crossEntropy("softmaxCrossEntropyProbabilities"),
  sigmoidBinaryCrossEntropy: () =>
    elementwise("sigmoidBinaryCrossEntropy", (kernels, { losses, dy, y, targets }, rows, cols, scale) => {
      kernels.sigmoidBinaryCrossEntropy(losses, dy, y, targets, rows, cols, scale, 0, rows);
    }),
  meanSquaredError: squaredError,
  meanAbsoluteError: () =>
    elementwise("meanAbsoluteError", (kernels, { losses, dy, y, targets }, rows, cols, scale) => {
      kernels.meanAbsoluteError(losses, dy, y, targets, rows, cols, scale, 0, rows);
    }),
  huber: (operation, { delta = 1 }: HuberOptions) => {
    check.positive(operation, "delta", delta);
    return elementwise("huber", (kernels, { losses, dy, y, targets }, rows, cols, scale) => {
      kernels.huber(losses, dy, y, targets, rows, cols, delta, scale, 0, rows);
    });
  },
};

export const LOSS_NAMES = Object.keys(LOSSES) as readonly LossName[];

/** The losses without options, made once: a training step allocates none. */
const PLAIN = Object.fromEntries(
  LOSS_NAMES.map((name) => [name, LOSSES[name]("", {} as never, 0)]),
) as unknown as Readonly<Record<LossName, Loss>>;

/** The loss that a caller chose, for outputs of so many columns. */
export function lossOf(operation: string, choice: LossChoice, cols: number): Loss {
  if (typeof choice !== "object" || (choice as unknown) === null) {
    return PLAIN[check.oneOf<LossName>(operation, "loss", choice as LossName, LOSS_NAMES)];
  }
  const name = check.oneOf(operation, "loss.name", choice.name, LOSS_NAMES);
  return LOSSES[name](operation, choice as never, cols);
}

/** The sum of per-row losses, in float64 from the first to the last. */
export function sumLosses(heap: Float32Array, losses: number, rows: number): number {
  const begin = losses >>> 2;
  let sum = 0;
  for (let i = begin; i < begin + rows; i++) sum += heap[i] as number;
  return sum;
}

/** Class labels: one integer for each row, from 0 to classes − 1. */
export type Labels = Uint8Array | Int32Array | readonly number[] | Tensor<"int32">;

/** Labels of the right type and count, all of them in range. */
export function checkLabels(operation: string, labels: Labels, rows: number, classes: number, runtime: Runtime): void {
  if (check.isTensor(labels)) {
    check.dtype(operation, "labels", check.tensor(operation, "labels", labels, runtime), "int32");
    check.shape(operation, "labels", labels, [rows], "one label for each row");
    const begin = labels.pointer >>> 2;
    check.labels(operation, runtime.heapI32, classes, begin, begin + rows);
    return;
  }
  const kind = check.arrayKind(labels);
  if (kind !== "Uint8Array" && kind !== "Int32Array" && !Array.isArray(labels)) {
    check.argument(operation, "labels", labels, "Uint8Array, Int32Array, an array of integers or an int32 tensor");
  }
  check.length(operation, "labels", labels, rows, "one label for each row");
  check.labels(operation, labels, classes);
}

/** The mean loss and the gradient of y; `targets` is an address. `floats` of scratch come behind losses and columns. */
function run(
  operation: string,
  loss: Loss,
  y: Tensor,
  out: Tensor | undefined,
  targets: (free: number) => number,
  floats = 0,
): { loss: number; dy: Tensor } {
  const { runtime } = y;
  const [rows, cols] = y.shape as [number, number];
  const losses = runtime.scratch(operation, rows + cols + floats);
  const dy = floatResult(operation, runtime, out, y.shape);
  const columns = losses + rows * 4;
  const memory = { losses, dy: dy.pointer, y: y.pointer, targets: targets(columns + cols * 4), columns };
  const terms = loss.compute(runtime, memory, rows, cols);
  return { loss: sumLosses(runtime.heapF32, losses, rows) / terms, dy };
}

/**
 * The mean over rows of −log softmax(logits)[label], and its gradient dLogits = (softmax − onehot) / rows. logits are
 * rows × classes; stable for logits of any finite size. `out` takes dLogits; in place.
 *
 * With labelSmoothing ε the target is (1 − ε) onehot + ε / classes; with classWeights w each class's term of it is multiplied by
 * w, and the mean is weighted by the weights of the labels (as torch.nn.CrossEntropyLoss).
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Labels,
  options: OutOption & CrossEntropyOptions = {},
): { readonly loss: number; readonly dLogits: Tensor } {
  const operation = "softmaxCrossEntropy";
  const runtime = check.runtimeOf(operation, "logits", logits);
  check.matrix(operation, "logits", logits, runtime);
  const [rows, classes] = logits.shape as [number, number];
  checkLabels(operation, labels, rows, classes, runtime);
  const { out } = check.options(operation, options);
  if (out) {
    checkOut(operation, runtime, out, logits.shape);
    check.apartOrSame(operation, "out", out, "logits", logits);
    if (check.isTensor(labels)) check.apart(operation, "out", out, "labels", labels);
  }
  const prepared = LOSSES[operation](operation, options as never, classes);
  const place = (free: number): number => {
    if (check.isTensor(labels)) return labels.pointer;
    runtime.heapI32.set(labels, free >>> 2);
    return free;
  };
  const { loss, dy: dLogits } = run(operation, prepared, logits, out, place, rows);
  return { loss, dLogits };
}

/**
 * The mean over rows of −Σ_j p_j log softmax(logits)_j for probability rows p (rows × classes, not checked to add up to 1), and
 * its gradient dLogits = (softmax · Σ p − p) / rows. labelSmoothing ε takes (1 − ε) p + ε / classes, classWeights multiply the terms
 * (as torch.nn.CrossEntropyLoss with probabilities); 0 · log 0 counts as 0. `out` takes dLogits; in place.
 */
export function softmaxCrossEntropyProbabilities(
  logits: Tensor,
  probabilities: Tensor,
  options: OutOption & CrossEntropyOptions = {},
): { readonly loss: number; readonly dLogits: Tensor } {
  const operation = "softmaxCrossEntropyProbabilities";
  const runtime = check.runtimeOf(operation, "logits", logits);
  check.matrix(operation, "logits", logits, runtime);
  check.floats(operation, "probabilities", probabilities, runtime);
  check.shape(operation, "probabilities", probabilities, logits.shape, "it must have the shape of logits");
  const { out } = check.options(operation, options);
  if (out) {
    checkOut(operation, runtime, out, logits.shape);
    check.apartOrSame(operation, "out", out, "logits", logits);
    check.apart(operation, "out", out, "probabilities", probabilities);
  }
  const prepared = LOSSES[operation](operation, options as never, logits.shape[1] as number);
  const { loss, dy: dLogits } = run(operation, prepared, logits, out, () => probabilities.pointer);
  return { loss, dLogits };
}

/** A loss of y and a target of its shape, element by element. */
function elementwiseFunction<Options extends object>(name: Exclude<LossName, `softmax${string}`>) {
  return (
    y: Tensor,
    target: Tensor,
    options: OutOption & Options = {} as Options,
  ): { readonly loss: number; readonly dy: Tensor } => {
    const runtime = check.runtimeOf(name, "y", y);
    check.matrix(name, "y", y, runtime);
    check.floats(name, "target", target, runtime);
    check.shape(name, "target", target, y.shape, "it must have the shape of y");
    const { out } = check.options(name, options);
    if (out) {
      checkOut(name, runtime, out, y.shape);
      check.apartOrSame(name, "out", out, "y", y);
      check.apartOrSame(name, "out", out, "target", target);
    }
    const prepared = LOSSES[name](name, options as never, y.shape[1] as number);
    return run(name, prepared, y, out, () => target.pointer);
  };
}

/**
 * The mean over all elements of (y − target)², and its gradient dy = 2 (y − target) / elements; `form` takes the sum or half the sum
 * over a row instead, and the mean over rows. `out` takes dy; in place.
 */
export const meanSquaredError = elementwiseFunction<SquaredErrorOptions>("meanSquaredError");

/** The mean over all elements of |y − target|, and its gradient dy = sign(y − target) / elements, 0 at 0. `out` takes dy; in place. */
export const meanAbsoluteError = elementwiseFunction<object>("meanAbsoluteError");

/**
 * The mean over all elements of ½ e² where |e| ≤ delta (1 by default), else delta (|e| − ½ delta), for e = y − target (Huber 1964,
 * as torch.nn.HuberLoss), and its gradient dy: e within ± delta, over elements. `out` takes dy; in place.
 */
export const huber = elementwiseFunction<HuberOptions>("huber");

/**
 * The mean over all elements of −t log σ(y) − (1 − t) log(1 − σ(y)) for t = target, and its gradient dy = (σ(y) − t) / elements. y
 * are logits, of any finite size (as torch.nn.BCEWithLogitsLoss). `out` takes dy; in place.
 */
export const sigmoidBinaryCrossEntropy = elementwiseFunction<object>("sigmoidBinaryCrossEntropy");
