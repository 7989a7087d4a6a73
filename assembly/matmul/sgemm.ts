/**
 * C ← epilogue(alpha · A·B + beta · C), the BLAS product with the layer's bias and activation fused into its last write.
 *
 * Five loops around a register tile (Goto and van de Geijn 2008; van Zee and van de Geijn 2015): columns of C by NC, k by
 * KC, rows by MC, then the tiles of that block, column panel by column panel. Blocks of A and B are packed where that
 * pays; a small product reads A (and B, when its rows are contiguous) in place with the same tile.
 */
import {
  ADD_BIAS, APPLY_LEAKY_RELU, APPLY_RELU, APPLY_TANH, InPlace, Narrow, Operand, Packed, READ_C, Wide, runTiles,
} from "./microkernel";
import { IN_PLACE_A_COLUMNS, IN_PLACE_B_ROWS, KC, MC, MR, NC, NR, ceilDiv, packedDepth, shareBegin } from "./blocking";
import { StridedMatrix, packColumns, packRows } from "./pack";
import { dotsWorkSize, multiplyDots, prefersDots } from "./dots";
import { mergeTile, tanhRows } from "./epilogue";
import { GEMV_ROWS, fewRowsWorkSize, multiplyFewRows } from "./gemv";
import { SWEEP_ROWS, sweepPanels } from "./gemvPrepacked";
import { addRows, beginStatistics, columnStatistics, finishStatistics } from "../columnStatistics";

/** sgemm's `epilogue` argument: 0 nothing, + bias, ReLU(… + bias), tanh(… + bias), leaky ReLU(… + bias). */
// @ts-ignore: decorator
@inline
const EPILOGUE_BIAS: i32 = 1;
// @ts-ignore: decorator
@inline
const EPILOGUE_BIAS_RELU: i32 = 2;
// @ts-ignore: decorator
@inline
const EPILOGUE_BIAS_TANH: i32 = 3;
// @ts-ignore: decorator
@inline
const EPILOGUE_BIAS_LEAKY_RELU: i32 = 4;

/**
 * Up to IN_PLACE_B_ROWS rows, B is read in place if its rows are contiguous, no longer than this, and if all of it is no larger
 * than this. Longer rows are pages apart, and more of them than a TLB holds: reading eight columns of each then costs more than
 * packing them (8 × 4096 × 4096 in place: 0.35 of packed; 32 × 1000 × 3000: 0.83; but 32 × 784 × 256: 1.11).
 */
// @ts-ignore: decorator
@inline
const IN_PLACE_B_COLUMNS: i32 = 1000;
// @ts-ignore: decorator
@inline
const IN_PLACE_B_FLOATS: i32 = 1 << 20;

/** Floats at the start of `work` that hold one tile of C on its way to an edge or a strided C. */
// @ts-ignore: decorator
@inline
const TILE_FLOATS: i32 = 64;

/** Floats that a packed block of B takes (a multiple of 16, so that what follows stays aligned). */
// @ts-ignore: decorator
@inline
function packedBFloats(n: i32, k: i32): i32 {
  return (ceilDiv(min(n, NC), NR) * NR * min(k, KC) + 15) & ~15;
}

/** Byte offset, in a prepacked B, of the block of `columns` columns from `column` and of the steps from `depth`. */
// @ts-ignore: decorator
@inline
function prepackedBlock(column: i32, columns: i32, depth: i32, k: i32): usize {
  return (<usize>column * <usize>k + <usize>(ceilDiv(columns, NR) * NR) * <usize>depth) << 2;
}

/**
 * Floats of 64-byte aligned `work` that `sgemm` needs for this size, whatever the strides. It never shrinks as m, n or k
 * grow, so work for the largest batch serves every smaller one.
 */
export function sgemmWorkSize(m: i32, n: i32, k: i32): i32 {
  if (m <= 0 || n <= 0) return TILE_FLOATS;
  k = max(k, 0);
  const few = max(fewRowsWorkSize(min(m, GEMV_ROWS), n, k), fewRowsWorkSize(1, m, k));
  return TILE_FLOATS + max(max(few, dotsWorkSize(m, n)), packedBFloats(n, k) + min(m, MC) * min(k, KC));
}

/** What the last block of k does to its sums, for sgemm's `epilogue` argument. */
// @ts-ignore: decorator
@inline
function lastWrite(epilogue: i32): i32 {
  if (epilogue == EPILOGUE_BIAS) return ADD_BIAS;
  if (epilogue == EPILOGUE_BIAS_RELU) return ADD_BIAS | APPLY_RELU;
  if (epilogue == EPILOGUE_BIAS_TANH) return ADD_BIAS | APPLY_TANH;
  if (epilogue == EPILOGUE_BIAS_LEAKY_RELU) return ADD_BIAS | APPLY_LEAKY_RELU;
  return 0;
}

/**
 * C ← epilogue(alpha · A·B + beta · C) on rows [rowBegin, rowEnd) of C.
 *
 * A is m × k, B is k × n, C is m × n; each with any row and column stride in elements, so transposes and views are
 * strides. beta = 0 does not read C; alpha = 0 or k = 0 reads neither A nor B. C must not overlap A, B or bias.
 *
 * @param bias n floats, one per column of C; read only when epilogue > 0
 * @param epilogue 0 none, 1 bias, 2 bias then ReLU, 3 bias then tanh, 4 bias then leaky ReLU
 * @param slope leaky ReLU's factor of what is not positive
 * @param statistics 3 × n floats for `columnStatistics` of the rows computed, which need csC = 1; 0 for none
 * @param work `sgemmWorkSize(m, n, k)` floats, 64-byte aligned
 */
export function sgemm(
  c: usize, a: usize, b: usize, bias: usize, m: i32, n: i32, k: i32,
  rsC: i32, csC: i32, rsA: i32, csA: i32, rsB: i32, csB: i32,
  alpha: f32, beta: f32, epilogue: i32, slope: f32, statistics: usize, rowBegin: i32, rowEnd: i32, work: usize,
): void {
  const rows = rowEnd - rowBegin;
  if (rows <= 0 || n <= 0) return;
  if (alpha == 0 || k < 0) k = 0;
  if (k == 0) alpha = 0;

  const last = lastWrite(epilogue);
  const write = (beta != 0 ? READ_C : 0) | last;
  const rsCBytes = <usize>rsC << 2, csCBytes = <usize>csC << 2;
  const rsABytes = <usize>rsA << 2, csABytes = <usize>csA << 2;
  const rsBBytes = <usize>rsB << 2, csBBytes = <usize>csB << 2;
  c += <usize>rowBegin * rsCBytes;
  a += <usize>rowBegin * rsABytes;

  if (rows <= MR && (n == 4 || n == NR) && csC == 1 && csB == 1 && rsB != 0 && k <= KC && (last & APPLY_TANH) == 0) {
    // A single tile, where the loops around it would cost more than itself (4 × 4 × 4: 4.3 to 7.1 GFLOP/s).
    if (n == 4) runTiles<InPlace, Narrow>(rows, 1, c, a, b, bias, k, rsCBytes, rsABytes, csABytes, rsBBytes, alpha, beta, write, slope);
    else runTiles<InPlace, Wide>(rows, 1, c, a, b, bias, k, rsCBytes, rsABytes, csABytes, rsBBytes, alpha, beta, write, slope);
  } else if (m <= GEMV_ROWS && (csB == 1 || rsB == 1)) {
    multiplyFewRows(
      c, a, b, bias, rows, n, k, rsCBytes, csCBytes, rsABytes, csABytes, rsBBytes, csBBytes, alpha, beta, write, slope, 4, work,
    );
  } else if (n == 1 && (rsA == 1 || csA == 1)) {
    // Cᵀ = Bᵀ·Aᵀ: one row.
    multiplyFewRows(
      c, b, a, bias, 1, rows, k, csCBytes, rsCBytes, csBBytes, rsBBytes, csABytes, rsABytes, alpha, beta, write, slope, 0, work,
    );
  } else if (csA == 1 && rsB == 1 && prefersDots(m, n, k)) {
    multiplyDots(c, a, b, bias, rows, n, k, rsCBytes, csCBytes, rsABytes, csBBytes, alpha, beta, write, slope, work);
  } else {
    const packsA = n > IN_PLACE_A_COLUMNS;
    const packsB = m > IN_PLACE_B_ROWS || csB != 1 || rsB == 0 || n > IN_PLACE_B_COLUMNS || k > IN_PLACE_B_FLOATS / n;
    if (packsA || packsB || k > KC) {
      return fiveLoops(
        c, a, b, bias, rows, n, k, rsCBytes, csCBytes, rsABytes, csABytes, rsBBytes, csBBytes,
        alpha, beta, last, slope, statistics, packsA, packsB ? PACK_NOW : IN_PLACE,
        packsB && csB == 1 ? packedDepth(m, n) : KC, work,
      );
    }
    multiplyBlock<InPlace>(
      c, a, b, bias, rows, n, k, rsCBytes, csCBytes, rsABytes, csABytes, rsBBytes, false, false, alpha, beta, write, slope, work,
    );
  }
  if (statistics != 0) columnStatistics(statistics, c, rows, n, rsC, 0, n);
}

/** Where the loops find B. */
// @ts-ignore: decorator
@inline
const IN_PLACE: i32 = 0;
// @ts-ignore: decorator
@inline
const PACK_NOW: i32 = 1;
// @ts-ignore: decorator
@inline
const PREPACKED: i32 = 2;

/**
 * The loops 5 to 3 over `rows` rows of C, cut at NC columns and kc steps of k. Strides are in bytes, `last` is what the last
 * block of k writes besides.
 */
function fiveLoops(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, n: i32, k: i32,
  rsC: usize, csC: usize, rsA: usize, csA: usize, rsB: usize, csB: usize,
  alpha: f32, beta: f32, last: i32, slope: f32, statistics: usize, packsA: bool, whereB: i32, kc: i32, work: usize,
): void {
  const packedB = work + (TILE_FLOATS << 2);
  const packedA = packedB + (whereB == PREPACKED ? 0 : <usize>packedBFloats(n, k) << 2);
  const panels = ceilDiv(n, NR);
  const columnBlocks = ceilDiv(n, NC);
  const depthBlocks = max(ceilDiv(k, kc), 1);
  // Blocks of whole tiles: 256 rows dealt to 8 blocks evenly would be 32 each, two thirds of them in tiles of five.
  const rowTiles = ceilDiv(rows, MR);
  // Statistics read a block again, which must be small for it (128³: from 2.3 to 1.6 % of the product).
  const rowBlocks = packsA || statistics != 0 ? ceilDiv(rowTiles, MC / MR) : 1;

  for (let jc = 0; jc < columnBlocks; ++jc) {
    // 5: columns of C and B
    const column = shareBegin(panels, columnBlocks, jc) * NR;
    const columns = min(shareBegin(panels, columnBlocks, jc + 1) * NR, n) - column;
    const blockBias = bias + (<usize>column << 2);
    let measured = 0;
    if (statistics != 0) beginStatistics(statistics, n, column, column + columns);
    for (let pc = 0; pc < depthBlocks; ++pc) {
      // 4: the common dimension
      const depth = shareBegin(k, depthBlocks, pc);
      const depths = shareBegin(k, depthBlocks, pc + 1) - depth;
      let blockB = b + <usize>depth * rsB + <usize>column * csB;
      const rest = columns % NR;
      // See multiplyBlock: the last panel begins four columns before the end.
      const stepsBack = whereB == PACK_NOW && rest > 0 && rest < 4 && columns > NR && depthBlocks == 1 && beta == 0 && csC == 4;
      if (whereB == PACK_NOW) {
        packColumns<StridedMatrix>(NR, packedB, blockB, stepsBack ? columns - rest : columns, depths, csB, rsB);
        if (stepsBack) {
          const last = packedB + (<usize>((columns - rest) * depths) << 2);
          packColumns<StridedMatrix>(NR, last, blockB + <usize>(columns - 4) * csB, 4, depths, csB, rsB);
        }
        blockB = packedB;
      } else if (whereB == PREPACKED) {
        blockB = b + prepackedBlock(column, columns, depth, k);
      }
      const oldC = pc > 0 ? <f32>1 : beta;
      const write = (oldC != 0 ? READ_C : 0) | (pc == depthBlocks - 1 ? last : 0);
      if (whereB == PREPACKED && rows <= SWEEP_ROWS) {
        sweepPanels(
          c + <usize>column * csC, a + <usize>depth * csA, blockB, blockBias, rows, columns, depths,
          rsC, csC, rsA, csA, alpha, oldC, write, slope, work,
        );
        continue;
      }
      for (let ic = 0; ic < rowBlocks; ++ic) {
        // 3: rows of C and A
        const row = shareBegin(rowTiles, rowBlocks, ic) * MR;
        const height = min(shareBegin(rowTiles, rowBlocks, ic + 1) * MR, rows) - row;
        const blockA = a + <usize>row * rsA + <usize>depth * csA;
        const blockC = c + <usize>row * rsC + <usize>column * csC;
        if (packsA) {
          packRows<StridedMatrix>(ceilDiv(height, MR), packedA, blockA, height, depths, rsA, csA);
          multiplyBlock<Packed>(
            blockC, packedA, blockB, blockBias, height, columns, depths,
            rsC, csC, 0, 0, rsB, whereB != IN_PLACE, stepsBack, alpha, oldC, write, slope, work,
          );
        } else {
          multiplyBlock<InPlace>(
            blockC, blockA, blockB, blockBias, height, columns, depths,
            rsC, csC, rsA, csA, rsB, whereB != IN_PLACE, stepsBack, alpha, oldC, write, slope, work,
          );
        }
        if (statistics != 0 && pc == depthBlocks - 1) {
          // While the rows lie in the cache.
          measured = addRows(statistics, c, measured, row + height, rows, n, <i32>(rsC >> 2), column, column + columns);
        }
      }
    }
    if (statistics != 0) finishStatistics(statistics, c, n, column, column + columns);
  }
}

/**
 * One block of C (rows × columns), panel by panel of 8 columns, tile by tile of up to MR rows.
 *
 * A is packed in panels or lies in place (as its type says). B is packed in panels of 8 columns, or its rows lie
 * contiguous, rsB apart. What is left at the right edge takes a narrower tile. Where C is not read and fewer than four columns are
 * left, the last tile steps back and computes up to three columns again, to the same bits: a vector must not read past a B in place,
 * and whole vectors of C need no detour (65 × 65 × 65 relaxed: 48.2 to 49.0 GFLOP/s). A packed B says by `stepsBack` that its last
 * panel is such a one. Elsewhere they are copied beside zeros, and their sums go through `mergeTile`.
 */
function multiplyBlock<A extends Operand>(
  c: usize, a: usize, b: usize, bias: usize, rows: i32, columns: i32, k: i32, rsC: usize, csC: usize,
  rsA: usize, csA: usize, rsB: usize, packedB: bool, stepsBack: bool, alpha: f32, beta: f32, write: i32, slope: f32, work: usize,
): void {
  const tiles = ceilDiv(rows, MR);
  const share = tiles == 1 ? rows : rows / tiles;
  const larger = rows - tiles * share;
  const wholeVectors = csC == 4;
  if (!packedB) stepsBack = wholeVectors && (write & READ_C) == 0 && columns >= 4;
  const tanhLast = wholeVectors && (write & APPLY_TANH) != 0;
  if (tanhLast) write ^= APPLY_TANH;
  for (let j = 0; j < columns; ) {
    // 2: panels of columns
    let left = columns - j;
    const panel = j;
    if (left < 4 && stepsBack) {
      j = columns - 4;
      left = 4;
    }
    const wide = left >= NR || (packedB && left > 4);
    const width = min(left, wide ? NR : 4);
    let panelB = b + (packedB ? <usize>(panel * k) << 2 : <usize>j << 2);
    let rsPanelB = packedB ? <usize>(NR << 2) : rsB;
    if (!packedB && width < 4) {
      panelB = work + (TILE_FLOATS << 2);
      rsPanelB = 16;
      packColumns<StridedMatrix>(4, panelB, b + (<usize>j << 2), width, k, 4, rsB);
    }
    const panelBias = bias + (<usize>j << 2);
    const direct = wholeVectors && (width == NR || (width == 4 && !wide));
    const tileWrite = direct ? write : 0;
    const tileAlpha = direct ? alpha : 1;
    let tileC = c + <usize>j * csC;
    let tileA = a;
    for (let i = 0; i < tiles; ) {
      // 1: tiles of rows, as many at once as are of one height
      const tall = i < larger;
      const tileRows = tall ? share + 1 : share;
      const count = direct ? (tall ? larger : tiles - larger) : 1;
      const to = direct ? tileC : work;
      const rsTo = direct ? rsC : <usize>(NR << 2);
      if (wide) {
        runTiles<A, Wide>(tileRows, count, to, tileA, panelB, panelBias, k, rsTo, rsA, csA, rsPanelB, tileAlpha, beta, tileWrite, slope);
      } else {
        runTiles<A, Narrow>(tileRows, count, to, tileA, panelB, panelBias, k, rsTo, rsA, csA, rsPanelB, tileAlpha, beta, tileWrite, slope);
      }
      if (!direct) mergeTile(tileC, work, panelBias, tileRows, width, NR << 2, rsC, csC, alpha, beta, write, slope, 4);
      const done = tileRows * count;
      tileC += <usize>done * rsC;
      tileA += changetype<A>(0).packed() ? <usize>(done * k) << 2 : <usize>done * rsA;
      i += count;
    }
    j += width;
  }
  if (tanhLast) tanhRows(c, rows, columns, rsC);
}

/** Floats that `sgemmPackB` writes. */
export function sgemmPackedSize(n: i32, k: i32): i32 {
  return ceilDiv(max(n, 0), NR) * NR * max(k, 0);
}

/**
 * Packs B (k × n, any strides) once for many products with `sgemmPrepacked`, such as the weights of inference.
 *
 * @param packed `sgemmPackedSize(n, k)` floats, 16-byte aligned or better
 */
export function sgemmPackB(packed: usize, b: usize, n: i32, k: i32, rsB: i32, csB: i32): void {
  const rsBBytes = <usize>rsB << 2, csBBytes = <usize>csB << 2;
  const panels = ceilDiv(n, NR);
  const columnBlocks = ceilDiv(n, NC);
  const depthBlocks = ceilDiv(k, KC);
  for (let jc = 0; jc < columnBlocks; ++jc) {
    const column = shareBegin(panels, columnBlocks, jc) * NR;
    const columns = min(shareBegin(panels, columnBlocks, jc + 1) * NR, n) - column;
    for (let pc = 0; pc < depthBlocks; ++pc) {
      const depth = shareBegin(k, depthBlocks, pc);
      const depths = shareBegin(k, depthBlocks, pc + 1) - depth;
      packColumns<StridedMatrix>(
        NR, packed + prepackedBlock(column, columns, depth, k),
        b + <usize>depth * rsBBytes + <usize>column * csBBytes, columns, depths, csBBytes, rsBBytes,
      );
    }
  }
}

/** `sgemm` with a B that `sgemmPackB` packed; the arguments and `work` are otherwise sgemm's. */
export function sgemmPrepacked(
  c: usize, a: usize, packedB: usize, bias: usize, m: i32, n: i32, k: i32, rsC: i32, csC: i32, rsA: i32, csA: i32,
  alpha: f32, beta: f32, epilogue: i32, slope: f32, rowBegin: i32, rowEnd: i32, work: usize,
): void {
  if (rowEnd <= rowBegin || n <= 0) return;
  if (alpha == 0 || k < 0) k = 0;
  if (k == 0) alpha = 0;
  const rsCBytes = <usize>rsC << 2, rsABytes = <usize>rsA << 2;
  fiveLoops(
    c + <usize>rowBegin * rsCBytes, a + <usize>rowBegin * rsABytes, packedB, bias, rowEnd - rowBegin, n, k,
    rsCBytes, <usize>csC << 2, rsABytes, <usize>csA << 2, 0, 0,
    alpha, beta, lastWrite(epilogue), slope, 0, n > IN_PLACE_A_COLUMNS, PREPACKED, KC, work,
  );
}

/**
 * `sgemm` on `batch` problems of one shape, whose operands lie strideC, strideA and strideB elements apart (0 shares an
 * operand, such as one matrix of weights). Problems [batchBegin, batchEnd) are computed.
 */
export function sgemmStridedBatched(
  c: usize, a: usize, b: usize, bias: usize, m: i32, n: i32, k: i32,
  rsC: i32, csC: i32, rsA: i32, csA: i32, rsB: i32, csB: i32, strideC: i32, strideA: i32, strideB: i32,
  alpha: f32, beta: f32, epilogue: i32, slope: f32, batchBegin: i32, batchEnd: i32, work: usize,
): void {
  for (let i = batchBegin; i < batchEnd; ++i) {
    sgemm(
      c + (<usize>(i * strideC) << 2), a + (<usize>(i * strideA) << 2), b + (<usize>(i * strideB) << 2), bias, m, n, k,
      rsC, csC, rsA, csA, rsB, csB, alpha, beta, epilogue, slope, 0, 0, m, work,
    );
  }
}

/** `sgemm` on `batch` problems of one shape; c, a and b point at `batch` pointers (u32) to the problems' operands. */
export function sgemmBatched(
  c: usize, a: usize, b: usize, bias: usize, m: i32, n: i32, k: i32,
  rsC: i32, csC: i32, rsA: i32, csA: i32, rsB: i32, csB: i32,
  alpha: f32, beta: f32, epilogue: i32, slope: f32, batchBegin: i32, batchEnd: i32, work: usize,
): void {
  for (let i = batchBegin; i < batchEnd; ++i) {
    const at = <usize>i << 2;
    sgemm(
      load<u32>(c + at), load<u32>(a + at), load<u32>(b + at), bias, m, n, k,
      rsC, csC, rsA, csA, rsB, csB, alpha, beta, epilogue, slope, 0, 0, m, work,
    );
  }
}
