/**
 * The fingerprint: the SHA-256 of a network's parameters and running statistics after training it strictly. Every kernel
 * that a training step of dense layers may take has a part in it, and any bit that differs anywhere changes all of it.
 */
import {
  Adam,
  BatchNorm,
  cosineDecay,
  Dense,
  Dropout,
  initSync,
  randomPermutation,
  Relu,
  Sequential,
  Tanh,
} from "../../src/index.js";

const PIXELS = 784;
const BATCH = 64;

/** Images of MNIST, examples × 784 bytes, and the digits that they show. */
export interface Examples {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** How many of the training images the fingerprint takes: 200 steps see each once. */
export const EXAMPLES = 200 * BATCH;

/** The examples as bytes, images before labels, to hand to a runtime in one file. */
export function joinExamples({ images, labels }: Examples): Uint8Array {
  const bytes = new Uint8Array(EXAMPLES * (PIXELS + 1));
  bytes.set(images.subarray(0, EXAMPLES * PIXELS));
  bytes.set(labels.subarray(0, EXAMPLES), EXAMPLES * PIXELS);
  return bytes;
}

export const splitExamples = (bytes: Uint8Array): Examples => ({
  images: bytes.subarray(0, EXAMPLES * PIXELS),
  labels: bytes.subarray(EXAMPLES * PIXELS),
});

/** Trains for `steps` steps on batches of 64, shuffled anew for each epoch, and returns the SHA-256 in hexadecimal. */
export async function fingerprint({ images, labels }: Examples, seed: number, steps: number): Promise<string> {
  const runtime = initSync({ variant: "strict" });
  const layers = [
    ...[new Dense(PIXELS, 128), new BatchNorm(128), new Relu(), new Dropout(0.25)],
    ...[new Dense(128, 64), new Tanh(), new Dense(64, 10)],
  ];
  const model = new Sequential(runtime, layers, { seed, maxBatch: BATCH });
  const optimizer = new Adam({ learningRate: cosineDecay(0.003, { steps }) });
  const x = new Uint8Array(BATCH * PIXELS);
  const perEpoch = EXAMPLES / BATCH;
  let order: Int32Array = new Int32Array();
  for (let step = 0; step < steps; step++) {
    const place = step % perEpoch;
    if (place === 0) order = randomPermutation(runtime, EXAMPLES, { seed, stream: step / perEpoch }).toArray();
    const batch = order.subarray(place * BATCH, (place + 1) * BATCH);
    batch.forEach((from, to) => x.set(images.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS));
    const y = Uint8Array.from(batch, (from) => labels[from]!);
    model.trainBatch(x, y, { loss: "softmaxCrossEntropy", optimizer });
  }
  return sha256([...model.parameters, ...model.states].map(({ value }) => value.toArray()));
}

async function sha256(arrays: readonly ArrayLike<number>[]): Promise<string> {
  const values = Float32Array.from(arrays.flatMap((array) => Array.from(array)));
  const digest = await crypto.subtle.digest("SHA-256", values);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
