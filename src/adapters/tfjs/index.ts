/**
 * Registers the TensorFlow.js backend "simdgrad": `import "simdgrad/tfjs"; await tf.setBackend("simdgrad");`. A program
 * that registers no backend of a higher priority need not even set it.
 */
import {
  engine,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorMap,
} from "@tensorflow/tfjs-core";
import type { InitOptions } from "../../index.js";
import { SimdgradBackend } from "./backend.js";
import { shortenGradients } from "./gradients.js";
import { BACKEND, type Call } from "./kernel.js";
import { kernels } from "./kernels.js";
import { fuseOptimizers } from "./optimizers.js";

export { SimdgradBackend };

/** Above cpu (1), wasm and webgl (2), below webgpu and the native backend of Node (3). */
const PRIORITY = 2.5;

let options: InitOptions = {};

/**
 * Sets how the backend's runtime is made: `variant`, `maximumMemory` and the rest of `init`'s options. Call it before the
 * backend is first used.
 */
export function configure(initOptions: InitOptions): void {
  options = initOptions;
}

/** The cpu backend's kernel under our name, behind ours if there is one. */
function adopt(config: KernelConfig): KernelConfig {
  const { kernelName, kernelFunc } = config;
  const fast = kernels[kernelName];
  if (fast === undefined) return { ...config, backendName: BACKEND };
  return { kernelName, backendName: BACKEND, kernelFunc: (call) => fast(call as Call) ?? kernelFunc(call) };
}

/** What is used here of TensorFlow.js's engine. */
interface Engine {
  backendName: string;
  runKernel(kernelName: string, inputs: NamedTensorMap, attrs?: NamedAttrMap): unknown;
  runKernelFunc(call: { kernelName: string; inputs: NamedTensorMap; attrs: NamedAttrMap | undefined }): unknown;
}

/**
 * TensorFlow.js looks a kernel up twice in every call, first to say if it is missing, each time under a key that it joins anew:
 * 0.13 µs of the 1.3 of a tiny call. These kernels are not missing.
 */
function lookUpOnce(kernelNames: ReadonlySet<string>): void {
  const own = engine() as unknown as Engine;
  const runKernel = own.runKernel.bind(own);
  own.runKernel = (kernelName, inputs, attrs) =>
    own.backendName === BACKEND && kernelNames.has(kernelName)
      ? own.runKernelFunc({ kernelName, inputs, attrs })
      : runKernel(kernelName, inputs, attrs);
}

const configs = getKernelsForBackend("cpu");
/** When it is first used, all that a program imports is there, the gradients of TensorFlow.js, too. */
function start(): SimdgradBackend {
  shortenGradients();
  return new SimdgradBackend(options);
}

registerBackend(BACKEND, start, PRIORITY);
for (const config of configs) registerKernel(adopt(config));
lookUpOnce(new Set(configs.map(({ kernelName }) => kernelName)));
fuseOptimizers();
