/** Faults that the kernel tests must notice: plausible slips, each one textual change of the kernels' source. */

export interface Fault {
  name: string;
  file: string;
  /** What stands there; it occurs once in the file. */
  find: string;
  replace: string;
  /** Which kernels' tests should notice: a regular expression over their names. */
  kernels: string;
}

export const FAULTS: Fault[] = [
  {
    name: "sgemm: beta = 0 reads C",
    file: "assembly/matmul/sgemm.ts",
    find: "const write = (oldC != 0 ? READ_C : 0) |",
    replace: "const write = READ_C |",
    kernels: "sgemm",
  },
  {
    name: "sgemm: m and n swapped in an edge tile",
    file: "assembly/matmul/sgemm.ts",
    find: "mergeTile(tileC, work, panelBias, tileRows, width,",
    replace: "mergeTile(tileC, work, panelBias, width, tileRows,",
    kernels: "sgemm",
  },
  {
    name: "sgemm: what k leaves over its blocks is dropped",
    file: "assembly/matmul/sgemm.ts",
    find: "const depths = shareBegin(k, depthBlocks, pc + 1) - depth;\n      let blockB",
    replace: "const depths = k / depthBlocks;\n      let blockB",
    kernels: "sgemm",
  },
  {
    name: "sgemm: bias indexed by row",
    file: "assembly/matmul/sgemm.ts",
    find: "runTile<A, Wide>(tileRows, to, tileA, panelB, panelBias,",
    replace: "runTile<A, Wide>(tileRows, to, tileA, panelB, bias + (<usize>i << 2),",
    kernels: "sgemm",
  },
  {
    name: "sgemm: packing A takes the row stride for the column stride",
    file: "assembly/matmul/sgemm.ts",
    find: "packedA, blockA, height, depths, rsA, csA)",
    replace: "packedA, blockA, height, depths, csA, rsA)",
    kernels: "sgemm",
  },
  {
    name: "sgemm: beta scales C once for every block of k",
    file: "assembly/matmul/sgemm.ts",
    find: "const oldC = pc > 0 ? <f32>1 : beta;",
    replace: "const oldC = beta;",
    kernels: "sgemm",
  },
  {
    name: "relu: −0 and NaN become 0",
    file: "assembly/activations.ts",
    find: "return f32x4.pmax(x, f32x4.splat(0));",
    replace: "return f32x4.pmax(f32x4.splat(0), x);",
    kernels: "relu",
  },
  {
    name: "reluBackward: dy passes where x = 0",
    file: "assembly/activations.ts",
    find: "v128.andnot(dy, f32x4.le(x, f32x4.splat(0)))",
    replace: "v128.andnot(dy, f32x4.lt(x, f32x4.splat(0)))",
    kernels: "reluBackward",
  },
  {
    name: "map: the tail stores a whole vector",
    file: "assembly/map.ts",
    find: "    if (lanes == 3) v128.store32_lane(p, v, 2, 8);",
    replace: "    if (lanes == 3) v128.store64_lane(p, v, 1, 8);",
    kernels: "relu",
  },
  {
    name: "map: the tail loads a whole vector",
    file: "assembly/map.ts",
    find: "  return lanes == 2 ? v : v128.load32_lane(p, v, 2, 8);",
    replace: "  return lanes == 2 ? v : v128.load(p);",
    kernels: "relu",
  },
  {
    name: "map: elements left after the last whole vector are dropped",
    file: "assembly/map.ts",
    find: "for (; i < n; i += 4) {",
    replace: "for (; i + 4 <= n; i += 4) {",
    kernels: "relu",
  },
  {
    name: "tanh: sign lost",
    file: "assembly/math.ts",
    find: "return v128.or(f32x4.div(s, d), sign);",
    replace: "return f32x4.div(s, d);",
    kernels: "tanh",
  },
  {
    name: "exp: denormal results cut off",
    file: "assembly/math.ts",
    find: "return f32x4(-104, 89,",
    replace: "return f32x4(-87, 89,",
    kernels: "exp",
  },
  {
    name: "softmaxCrossEntropy: the maximum is not subtracted",
    file: "assembly/losses.ts",
    find: "const maximum = rowMaximum(x, cols);",
    replace: "const maximum = f32x4.splat(0);",
    kernels: "softmaxCrossEntropy",
  },
  {
    name: "columnSums: the last row is left out",
    file: "assembly/reductions.ts",
    find: "const count = min(rows - i, ROWS_PER_SUM);",
    replace: "const count = min(rows - 1 - i, ROWS_PER_SUM);",
    kernels: "columnSums",
  },
  {
    name: "argmaxRows: the last maximum instead of the first",
    file: "assembly/reductions.ts",
    find: "if (mask) return j + ctz(mask);",
    replace: "if (mask) return j + 31 - clz(mask);",
    kernels: "argmaxRows",
  },
  {
    name: "gatherRows: off by one",
    file: "assembly/data.ts",
    find: "copy(y, x + <usize>load<i32>(index + (<usize>i << 2)) * bytes, cols);",
    replace: "copy(y, x + <usize>(load<i32>(index + (<usize>i << 2)) + 1) * bytes, cols);",
    kernels: "gatherRows",
  },
  {
    name: "sgdMomentum: the velocity keeps its old sign",
    file: "assembly/optimizers.ts",
    find: "madd(load<At>(velocity, i, lanes), keep, g)",
    replace: "f32x4.sub(g, f32x4.mul(load<At>(velocity, i, lanes), keep))",
    kernels: "sgdMomentum",
  },
  {
    name: "adam: without the second bias correction",
    file: "assembly/optimizers.ts",
    find: "f32x4.splat(-stepSize / inverseSqrtCorrection2)",
    replace: "f32x4.splat(-stepSize)",
    kernels: "adam",
  },
  {
    name: "adam: eps inside the root",
    file: "assembly/optimizers.ts",
    find: "f32x4.add(f32x4.sqrt(second), floor)",
    replace: "f32x4.sqrt(f32x4.add(second, floor))",
    kernels: "adam",
  },
  {
    name: "batchNorm: eps left out",
    file: "assembly/batchNorm.ts",
    find: "f32x4.sqrt(f32x4.add(variance, f32x4.splat(eps)))",
    replace: "f32x4.sqrt(variance)",
    kernels: "batchNorm\\w*",
  },
  {
    name: "batchNorm: running variance without the unbiased factor",
    file: "assembly/batchNorm.ts",
    find: "f32x4.splat(<f32>(unbiased ? max(rows - 1, 1) : rows))",
    replace: "f32x4.splat(<f32>rows)",
    kernels: "batchNormForward",
  },
  {
    name: "batchNorm: momentum of the other convention",
    file: "assembly/batchNorm.ts",
    find: "f32x4.mul(loadPartial(running, lanes), f32x4.splat(1 - momentum))",
    replace: "f32x4.mul(loadPartial(running, lanes), f32x4.splat(momentum))",
    kernels: "batchNormForward",
  },
  {
    name: "batchNorm: the mean without its residual",
    file: "assembly/batchNorm.ts",
    find: "f32x4.sub(loadPartial(at(beta, 0, 0, c), lanes), f32x4.mul(residual, scale))",
    replace: "loadPartial(at(beta, 0, 0, c), lanes)",
    kernels: "batchNorm\\w*",
  },
  {
    name: "batchNormBackward: dy passes where the output is 0",
    file: "assembly/batchNorm.ts",
    find: "v128.andnot(dy, f32x4.le(",
    replace: "v128.andnot(dy, f32x4.lt(",
    kernels: "batchNormBackward",
  },
  {
    name: "batchNormBackward: the mean of dy is not subtracted",
    file: "assembly/batchNorm.ts",
    find: "v128.store(p, f32x4.add(f32x4.div(sum, m), f32x4.mul(residual, slope)), SUM);",
    replace: "v128.store(p, f32x4.splat(0), SUM);",
    kernels: "batchNormBackward",
  },
  {
    name: "philox: nine rounds",
    file: "assembly/random.ts",
    find: "for (let round = 0; round < 10; round++) {",
    replace: "for (let round = 0; round < 9; round++) {",
    kernels: "philox\\w*",
  },
  {
    name: "philox: the counter's carry is lost",
    file: "assembly/random.ts",
    find: "i32x4.sub(i32x4.splat(<i32>(counter >> 32)), i32x4.lt_u(c0, low))",
    replace: "i32x4.splat(<i32>(counter >> 32))",
    kernels: "philox\\w*",
  },
  {
    name: "philoxPermutation: no element stays in its place",
    file: "assembly/random.ts",
    find: "const bound = <u64>i + 1;",
    replace: "const bound = max(<u64>i, 1);",
    kernels: "philoxPermutation",
  },
];
