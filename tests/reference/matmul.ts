/** A result with the sum of the absolute values of the terms that made each element: the scale of its rounding errors. */
export interface Accumulated {
  values: Float64Array;
  magnitude: Float64Array;
}

/** 0 none, 1 bias (one per column), 2 bias + ReLU, 3 bias + tanh, 4 bias + leaky ReLU. */
export type Epilogue = 0 | 1 | 2 | 3 | 4;

/** epilogue(alpha·A·B + beta·C); A m×k, B k×n, C m×n, all row-major. Factors of 0 leave out what they multiply. */
export function matmul(
  m: number,
  n: number,
  k: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  c: ArrayLike<number>,
  bias: ArrayLike<number>,
  alpha: number,
  beta: number,
  epilogue: Epilogue,
  slope = 0,
): Accumulated {
  const values = new Float64Array(m * n);
  const magnitude = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k && alpha !== 0; p++) {
      for (let j = 0; j < n; j++) {
        const product = a[i * k + p]! * b[p * n + j]!;
        values[i * n + j]! += product;
        magnitude[i * n + j]! += Math.abs(product);
      }
    }
    for (let j = i * n; j < (i + 1) * n; j++) {
      let value = values[j]! * alpha;
      let sum = magnitude[j]! * Math.abs(alpha);
      if (beta !== 0) {
        value += beta * c[j]!;
        sum += Math.abs(beta * c[j]!);
      }
      if (epilogue !== 0) {
        value += bias[j - i * n]!;
        sum += Math.abs(bias[j - i * n]!);
      }
      if (epilogue === 2 && value < 0) value = 0;
      if (epilogue === 3) value = Math.tanh(value);
      if (epilogue === 4 && !(value > 0)) value *= slope;
      values[j] = value;
      magnitude[j] = sum;
    }
  }
  return { values, magnitude };
}
