/** The stable names of everything that can go wrong. Compare `error.code`: `instanceof` breaks between module formats. */
export type ErrorCode =
  | "ERR_SHAPE"
  | "ERR_ARGUMENT"
  | "ERR_LABEL"
  | "ERR_GRADIENT"
  | "ERR_DISPOSED"
  | "ERR_DETACHED"
  | "ERR_RUNTIME_MISMATCH"
  | "ERR_OUT_OF_MEMORY"
  | "ERR_UNSUPPORTED_ENGINE"
  | "ERR_LOAD";

/** What every error of simdgrad has in common: a stable `code` and a message that names operation, value and rule. */
export abstract class SimdgradError extends Error {
  abstract readonly code: ErrorCode;
}

/** Sizes that do not fit together. */
export class ShapeError extends SimdgradError {
  override readonly name = "ShapeError";
  readonly code = "ERR_SHAPE";
}

/** A value of the wrong type or outside its range, or a call at the wrong moment. */
export class ArgumentError extends SimdgradError {
  override readonly name = "ArgumentError";
  readonly code = "ERR_ARGUMENT";
}

/** A class label that is no integer in 0 … classes − 1. */
export class LabelError extends SimdgradError {
  override readonly name = "LabelError";
  readonly code = "ERR_LABEL";
}

/** A gradient that differences of the function itself do not confirm: graph.checkGradients. */
export class GradientError extends SimdgradError {
  override readonly name = "GradientError";
  readonly code = "ERR_GRADIENT";
}

/** Use of a tensor, model or runtime after its `dispose`. */
export class DisposedError extends SimdgradError {
  override readonly name = "DisposedError";
  readonly code = "ERR_DISPOSED";
}

/** A typed array whose buffer was transferred elsewhere. */
export class DetachedError extends SimdgradError {
  override readonly name = "DetachedError";
  readonly code = "ERR_DETACHED";
}

/** Tensors, models or optimizers of two runtimes in one operation. */
export class RuntimeMismatchError extends SimdgradError {
  override readonly name = "RuntimeMismatchError";
  readonly code = "ERR_RUNTIME_MISMATCH";
}

/** The memory cannot hold a request. Everything allocated before is intact. All numbers are bytes. */
export class OutOfMemoryError extends SimdgradError {
  override readonly name = "OutOfMemoryError";
  readonly code = "ERR_OUT_OF_MEMORY";

  constructor(
    operation: string,
    readonly requested: number,
    readonly inUse: number,
    readonly limit: number,
    options?: ErrorOptions,
  ) {
    super(
      `${operation}: ${String(requested)} bytes requested while ${String(inUse)} are in use; ` +
        `the limit is ${String(limit)} bytes (init's maximumMemory) or what the engine grants.`,
      options,
    );
  }
}

/** The engine lacks something that simdgrad needs; `missing` says what. */
export class UnsupportedEngineError extends SimdgradError {
  override readonly name = "UnsupportedEngineError";
  readonly code = "ERR_UNSUPPORTED_ENGINE";

  constructor(
    operation: string,
    readonly missing: string,
    advice: string,
    options?: ErrorOptions,
  ) {
    super(`${operation}: this engine lacks ${missing}; ${advice}.`, options);
  }
}

/** The kernels could not be fetched from `address`. */
export class LoadError extends SimdgradError {
  override readonly name = "LoadError";
  readonly code = "ERR_LOAD";

  constructor(
    operation: string,
    readonly address: string,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`${operation}: ${address} did not load (${reason}); url must be where simdgrad's .wasm files are served.`, {
      cause,
    });
  }
}
