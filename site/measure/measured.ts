/** Which of the bench's cases the page runs, and what they are called there. Calls of several microseconds: see plainStopwatch. */
export const TITLES: Readonly<Record<string, string>> = {
  "step mnist-mlp b128": "Training step, 784-256-256-10, batch 128",
  "sgemm NN 256x256x256": "Matrix product, 256 × 256 × 256",
  "sgemm NT 128x256x784": "Matrix product, 128 × 784 by a transposed 256 × 784",
  "sgemm NN 64x64x64": "Matrix product, 64 × 64 × 64",
  "batchNorm forward 256x128 relu": "Batch norm and ReLU, 256 × 128",
  "batchNorm backward 256x128 relu": "Their gradient",
  "relu 100000": "ReLU, 100,000 elements",
  "tanh 100000": "tanh, 100,000 elements",
  "exp 100000": "exp, 100,000 elements",
  "adam 1000000": "Adam, a million parameters",
};
