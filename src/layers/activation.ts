import type { GeluApproximation } from "../ops/activations.js";
import * as check from "../check.js";
import type { Kernels } from "../runtime/kernels.js";
import type { Activation, Layer, Stage, StageMemory } from "./layer.js";

/** An elementwise function over n elements at fixed addresses. */
interface Elementwise {
  /** What the backward pass reads beside dy. Reading the output lets the forward pass overwrite its input. */
  readonly reads: "input" | "output";
  forward(kernels: Kernels, y: number, x: number, n: number): void;
  /** `value` is the address of what `reads` names. */
  backward(kernels: Kernels, dx: number, value: number, dy: number, n: number): void;
}

abstract class ActivationLayer implements Layer {
  abstract readonly name: string;
  readonly inFeatures = undefined;
  readonly parameters = [];
  readonly states = [];
  readonly fuses = [];
  readonly activation: Activation = "none";

  protected abstract elementwise(): Elementwise;

  outFeatures(inFeatures: number): number {
    return inFeatures;
  }

  stage(inFeatures: number): Stage {
    return new ActivationStage(inFeatures, this.elementwise());
  }
}

/** max(x, 0) for each element. Fused into a Dense with bias or a BatchNorm before it. */
export class Relu extends ActivationLayer {
  readonly name = "Relu";
  override readonly activation = "relu";

  protected elementwise(): Elementwise {
    return {
      // The mask by the output is the mask by the input: both are ≤ 0 or NaN together.
      reads: "output",
      forward: (kernels, y, x, n) => kernels.relu(y, x, n),
      backward: (kernels, dx, y, dy, n) => kernels.reluBackward(dx, y, dy, n),
    };
  }
}

/**
 * x where x > 0, else slope · x (Maas, Hannun & Ng 2013). The slope is any finite number, 0.01 by default; a
 * positive one is fused into a Dense with bias before it.
 */
export class LeakyRelu extends ActivationLayer {
  readonly name = "LeakyRelu";
  override readonly activation: Activation;
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    this.slope = check.finite("LeakyRelu", "slope", slope);
    this.activation = this.#keepsSigns() ? "leakyRelu" : "none";
  }

  /** Then the backward pass finds its mask in the output, as a layer that fuses this one must. */
  #keepsSigns(): boolean {
    return this.slope > 0;
  }

  protected elementwise(): Elementwise {
    const { slope } = this;
    return {
      reads: this.#keepsSigns() ? "output" : "input",
      forward: (kernels, y, x, n) => kernels.leakyRelu(y, x, n, slope),
      backward: (kernels, dx, value, dy, n) => kernels.leakyReluBackward(dx, value, dy, n, slope),
    };
  }
}

/** x where x ≥ 0, else alpha · (eˣ − 1) (Clevert, Unterthiner & Hochreiter 2016); alpha ≥ 0, 1 by default. */
export class Elu extends ActivationLayer {
  readonly name = "Elu";
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = check.rate("Elu", "alpha", alpha);
  }

  protected elementwise(): Elementwise {
    const { alpha } = this;
    return {
      reads: "output",
      forward: (kernels, y, x, n) => kernels.elu(y, x, n, alpha),
      backward: (kernels, dx, y, dy, n) => kernels.eluBackward(dx, y, dy, n, alpha),
    };
  }
}

/** σ(x) = 1 / (1 + e⁻ˣ) for each element. */
export class Sigmoid extends ActivationLayer {
  readonly name = "Sigmoid";

  protected elementwise(): Elementwise {
    return {
      reads: "output",
      forward: (kernels, y, x, n) => kernels.sigmoid(y, x, n),
      backward: (kernels, dx, y, dy, n) => kernels.sigmoidBackward(dx, y, dy, n),
    };
  }
}

/** ln(1 + eˣ) for each element. */
export class Softplus extends ActivationLayer {
  readonly name = "Softplus";

  protected elementwise(): Elementwise {
    return {
      reads: "input",
      forward: (kernels, y, x, n) => kernels.softplus(y, x, n),
      backward: (kernels, dx, x, dy, n) => kernels.softplusBackward(dx, x, dy, n),
    };
  }
}

/** x · σ(x) for each element, also called swish (Hendrycks & Gimpel 2016; Elfwing, Uchibe & Doya 2018). */
export class Silu extends ActivationLayer {
  readonly name = "Silu";

  protected elementwise(): Elementwise {
    return {
      reads: "input",
      forward: (kernels, y, x, n) => kernels.silu(y, x, n),
      backward: (kernels, dx, x, dy, n) => kernels.siluBackward(dx, x, dy, n),
    };
  }
}

/**
 * x · Φ(x) for each element, Φ being the normal distribution's (Hendrycks & Gimpel 2016), or with `approximate: "tanh"`
 * ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
 */
export class Gelu extends ActivationLayer {
  readonly name = "Gelu";
  readonly approximate: GeluApproximation;

  constructor(options: { readonly approximate?: GeluApproximation } = {}) {
    super();
    const { approximate = "none" } = check.options("Gelu", options);
    this.approximate = check.oneOf("Gelu", "approximate", approximate, ["none", "tanh"]);
  }

  protected elementwise(): Elementwise {
    if (this.approximate === "tanh") {
      return {
        reads: "input",
        forward: (kernels, y, x, n) => kernels.geluTanh(y, x, n),
        backward: (kernels, dx, x, dy, n) => kernels.geluTanhBackward(dx, x, dy, n),
      };
    }
    return {
      reads: "input",
      forward: (kernels, y, x, n) => kernels.gelu(y, x, n),
      backward: (kernels, dx, x, dy, n) => kernels.geluBackward(dx, x, dy, n),
    };
  }
}

/** tanh(x) for each element. Fused into a Dense with bias before it. */
export class Tanh extends ActivationLayer {
  readonly name = "Tanh";
  override readonly activation = "tanh";

  protected elementwise(): Elementwise {
    return {
      reads: "output",
      forward: (kernels, y, x, n) => kernels.tanh(y, x, n),
      backward: (kernels, dx, y, dy, n) => kernels.tanhBackward(dx, y, dy, n),
    };
  }
}

class ActivationStage implements Stage {
  declare memory: StageMemory;
  readonly inPlace: boolean;
  readonly readsOutput: boolean;
  readonly swapsGradients = false;

  constructor(
    private readonly features: number,
    private readonly elementwise: Elementwise,
  ) {
    this.readsOutput = elementwise.reads === "output";
    this.inPlace = this.readsOutput;
  }

  savedSize(): number {
    return 0;
  }

  workSize(): number {
    return 0;
  }

  forward(rows: number): void {
    const { kernels, input, output } = this.memory;
    this.elementwise.forward(kernels, output, input, rows * this.features);
  }

  backward(rows: number): void {
    const { kernels, input, output, dOutput, dInput } = this.memory;
    if (dInput === 0) return;
    this.elementwise.backward(kernels, dInput, this.readsOutput ? output : input, dOutput, rows * this.features);
  }
}
