/** The networks of the example, made with TensorFlow.js alone: nothing here knows which backend runs them. */
import * as tf from "@tensorflow/tfjs-core";
import { initializers, layers, sequential, type Sequential } from "@tensorflow/tfjs-layers";

/** A compiled network and a batch to train it with. */
export interface Training {
  readonly model: Sequential;
  readonly x: tf.Tensor;
  readonly y: tf.Tensor;
}

const BATCH = 64;

/** The same initial weights on every backend. */
let seed = 0;
const kernelInitializer = () => initializers.glorotUniform({ seed: ++seed });

const uniform = (shape: number[], low: number, high: number, dtype: "float32" | "int32" = "float32") =>
  tf.randomUniform(shape, low, high, dtype, ++seed);

const dense = (units: number, activation?: "relu" | "sigmoid" | "softmax", inputShape?: number[]) =>
  layers.dense({
    units,
    kernelInitializer: kernelInitializer(),
    ...(activation && { activation }),
    ...(inputShape && { inputShape }),
  });

/** Classes that a random linear function tells apart. */
function classified(features: number, classes: number) {
  const x = uniform([BATCH, features], -1, 1);
  const y = tf.tidy(() => {
    const scores = tf.matMul(x, uniform([features, classes], -1, 1));
    return tf.cast(tf.oneHot(tf.argMax(scores, 1), classes), "float32");
  });
  return { x, y };
}

/** 784-256-128-10 with ReLU. */
function perceptron(optimizer: tf.Optimizer): Training {
  const model = sequential({ layers: [dense(256, "relu", [784]), dense(128, "relu"), dense(10, "softmax")] });
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  return { model, ...classified(784, 10) };
}

/** The same with batch norm before each ReLU. */
function batchNorm(): Training {
  const model = sequential();
  for (const [units, inputShape] of [[256, [784]], [128]] as [number, number[]?][]) {
    model.add(dense(units, undefined, inputShape));
    model.add(layers.batchNormalization());
    model.add(layers.activation({ activation: "relu" }));
  }
  model.add(dense(10, "softmax"));
  model.compile({ optimizer: tf.train.sgd(0.05), loss: "categoricalCrossentropy" });
  return { model, ...classified(784, 10) };
}

const WORDS = 1000;
const LENGTH = 20;

/** Whether a sentence of 20 words of 1000 is positive: an embedding of 32 dimensions and one unit. */
function embedding(): Training {
  const embeddingsInitializer = initializers.randomUniform({ minval: -0.05, maxval: 0.05, seed: ++seed });
  const model = sequential({
    layers: [
      layers.embedding({ inputDim: WORDS, outputDim: 32, inputLength: LENGTH, embeddingsInitializer }),
      layers.flatten(),
      dense(1, "sigmoid"),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "binaryCrossentropy" });
  const x = uniform([BATCH, LENGTH], 0, WORDS, "int32");
  const y = tf.tidy(() => tf.cast(tf.greater(tf.mean(tf.cast(x, "float32"), 1, true), WORDS / 2), "float32"));
  return { model, x, y };
}

/** The mean of a sequence of 20 vectors of 16 numbers, by an LSTM of 64 units. */
function lstm(): Training {
  const recurrent = {
    units: 64,
    inputShape: [LENGTH, 16],
    kernelInitializer: kernelInitializer(),
    recurrentInitializer: kernelInitializer(),
  };
  const model = sequential({ layers: [layers.lstm(recurrent), dense(1)] });
  model.compile({ optimizer: tf.train.adam(0.001), loss: "meanSquaredError" });
  const x = uniform([32, LENGTH, 16], -1, 1);
  return { model, x, y: tf.tidy(() => tf.reshape(tf.mul(tf.mean(x, [1, 2]), 10), [32, 1])) };
}

/** A new head of two layers on the frozen layers of a network that was trained for something else. */
function transfer(): Training {
  const base = [dense(512, "relu", [784]), dense(256, "relu")];
  for (const layer of base) layer.trainable = false;
  const model = sequential({ layers: [...base, dense(64, "relu"), dense(5, "softmax")] });
  model.compile({ optimizer: tf.train.momentum(0.05, 0.9), loss: "categoricalCrossentropy" });
  return { model, ...classified(784, 5) };
}

/** What the example and the bench train, by name. */
export const MODELS = {
  dense: () => perceptron(tf.train.sgd(0.05)),
  "dense-adam": () => perceptron(tf.train.adam(0.001)),
  batchnorm: batchNorm,
  embedding,
  lstm,
  transfer,
} satisfies Record<string, () => Training>;

export type ModelName = keyof typeof MODELS;

/** Makes a network, the same one every time. */
export function makeModel(name: ModelName): Training {
  seed = 0;
  return MODELS[name]();
}
