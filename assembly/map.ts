/**
 * The one elementwise loop. An operation is a stateless class whose method works on one vector; `changetype<Op>(0)`
 * names it inside the loop and inlines fully. The last, partial vector runs the same operation, so a result depends
 * neither on an element's position nor on the count. An output may equal an input exactly; otherwise they must not
 * overlap.
 *
 * AssemblyScript has no closures, so what stays the same through the loop (a slope, a learning rate, constants) travels
 * as the vectors p0…p7, which the machine holds in registers; those that an operation ignores vanish.
 */
import { constantsOf, runtimeZero } from "./math";

/** Where a step of the unrolled loop stands: the type's `offsetof` is the constant byte offset of its vector. */
@unmanaged export class Vector0 {}
@unmanaged export class Vector1 { a: v128 }
@unmanaged export class Vector2 { a: v128; b: v128 }
@unmanaged export class Vector3 { a: v128; b: v128; c: v128 }

/** The address of element i of floats or integers that stand `step` apart: of row i, for a row stride. */
// @ts-ignore: decorator
@inline
export function at(p: usize, i: i32, step: i32): usize {
  return p + (<usize>i * <usize>step << 2);
}

/** Elements of four bytes: x[i…i+3], or the first `lanes` < 4 of them with zeros behind, reading nothing else. */
// @ts-ignore: decorator
@inline
export function load<At>(x: usize, i: usize, lanes: i32): v128 {
  const p = x + (i << 2);
  if (lanes >= 4) return v128.load(p, offsetof<At>());
  if (lanes == 1) return v128.load32_zero(p, offsetof<At>());
  const v = v128.load64_zero(p, offsetof<At>());
  return lanes == 2 ? v : v128.load32_lane(p, v, 2, offsetof<At>() + 8);
}

/** x[i…i+3] ← v, or only its first `lanes` < 4, writing nothing else. */
// @ts-ignore: decorator
@inline
export function store<At>(x: usize, i: usize, v: v128, lanes: i32): void {
  const p = x + (i << 2);
  if (lanes >= 4) {
    v128.store(p, v, offsetof<At>());
  } else if (lanes == 1) {
    v128.store32_lane(p, v, 0, offsetof<At>());
  } else {
    v128.store64_lane(p, v, 0, offsetof<At>());
    if (lanes == 3) v128.store32_lane(p, v, 2, offsetof<At>() + 8);
  }
}

/** Bytes x[i…i+3] widened to i32x4, or the first `lanes` < 4 of them with zeros behind, reading nothing else. */
// @ts-ignore: decorator
@inline
export function loadBytes<At>(x: usize, i: usize, lanes: i32): v128 {
  const p = x + i;
  let v: v128;
  if (lanes >= 4) {
    v = v128.load32_zero(p, offsetof<At>() / 4);
  } else {
    v = i32x4.splat(0);
    v = v128.load8_lane(p, v, 0);
    if (lanes >= 2) v = v128.load8_lane(p, v, 1, 1);
    if (lanes == 3) v = v128.load8_lane(p, v, 2, 2);
  }
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v));
}

/**
 * Runs `Op.step` over elements 0…n−1 of up to four arrays a…d: four vectors an iteration, then one, the last perhaps
 * partial. A step loads what it needs, computes and stores, with `load` and `store` from here:
 *
 *     step<At>(i: usize, lanes: i32, a: usize, b: usize, c: usize, d: usize, p0: v128, …, p7: v128): void
 *
 * An operation that fits a shape below needs no step of its own. Counts stay below 2³⁰, all that 4 GiB can hold.
 */
// @ts-ignore: decorator
@inline
export function map<Op>(
  n: i32, a: usize, b: usize = 0, c: usize = 0, d: usize = 0,
  p0: v128 = i32x4.splat(0), p1: v128 = i32x4.splat(0), p2: v128 = i32x4.splat(0), p3: v128 = i32x4.splat(0),
  p4: v128 = i32x4.splat(0), p5: v128 = i32x4.splat(0), p6: v128 = i32x4.splat(0), p7: v128 = i32x4.splat(0),
): void {
  const op = changetype<Op>(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) sixteen<Op>(i, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  for (; i < n; i += 4) {
    op.step<Vector0>(i, n - i, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  }
}

/**
 * `map` for an operation whose own work hides the loop's, so that one vector an iteration is as fast as four and a third of
 * their code.
 */
// @ts-ignore: decorator
@inline
export function mapHeavy<Op>(
  n: i32, a: usize, b: usize = 0, c: usize = 0, d: usize = 0,
  p0: v128 = i32x4.splat(0), p1: v128 = i32x4.splat(0), p2: v128 = i32x4.splat(0), p3: v128 = i32x4.splat(0),
  p4: v128 = i32x4.splat(0), p5: v128 = i32x4.splat(0), p6: v128 = i32x4.splat(0), p7: v128 = i32x4.splat(0),
): void {
  const op = changetype<Op>(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) op.step<Vector0>(i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  if (i < n) op.step<Vector0>(i, n - i, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
}

/**
 * The sum of what `Op.step` adds up over elements 0…n−1, in the loop of `map`, four sums side by side that hide the latency
 * of the additions; in four lanes, for `sumLanes`. A step returns its `sum` with its own elements added, and no others.
 *
 *     step<At>(sum: v128, i: usize, lanes: i32, a: usize, b: usize, c: usize, d: usize, p0: v128, …, p7: v128): v128
 */
// @ts-ignore: decorator
@inline
export function mapSum<Op>(
  n: i32, a: usize, b: usize = 0, c: usize = 0, d: usize = 0,
  p0: v128 = i32x4.splat(0), p1: v128 = i32x4.splat(0), p2: v128 = i32x4.splat(0), p3: v128 = i32x4.splat(0),
  p4: v128 = i32x4.splat(0), p5: v128 = i32x4.splat(0), p6: v128 = i32x4.splat(0), p7: v128 = i32x4.splat(0),
): v128 {
  const op = changetype<Op>(0);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = op.step<Vector0>(s0, i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
    s1 = op.step<Vector1>(s1, i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
    s2 = op.step<Vector2>(s2, i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
    s3 = op.step<Vector3>(s3, i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  }
  for (; i < n; i += 4) {
    s0 = op.step<Vector0>(s0, i, n - i, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  }
  return f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
}

/**
 * Runs `Op.step` over elements 0…n−1 of a and b with a bit for each in `bits`: eight elements, in two vectors, and their
 * byte a step, `lanes` < 8 in the last.
 *
 *     step<First, Second>(i: usize, lanes: i32, a: usize, b: usize, byte: usize): void
 */
// @ts-ignore: decorator
@inline
export function mapEights<Op>(n: i32, a: usize, b: usize, bits: usize): void {
  const op = changetype<Op>(0);
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    op.step<Vector0, Vector1>(i, 8, a, b, bits + (i >> 3));
    op.step<Vector2, Vector3>(i, 8, a, b, bits + (i >> 3) + 1);
  }
  for (; i < n; i += 8) op.step<Vector0, Vector1>(i, n - i, a, b, bits + (i >> 3));
}

/** The first `lanes` lanes of v, zeros behind. */
// @ts-ignore: decorator
@inline
export function firstLanes(v: v128, lanes: i32): v128 {
  return lanes >= 4 ? v : v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(lanes)));
}

/** `Op.step` over elements i…i+15: four vectors. */
// @ts-ignore: decorator
@inline
function sixteen<Op>(
  i: usize, a: usize, b: usize, c: usize, d: usize,
  p0: v128, p1: v128, p2: v128, p3: v128, p4: v128, p5: v128, p6: v128, p7: v128,
): void {
  const op = changetype<Op>(0);
  op.step<Vector0>(i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  op.step<Vector1>(i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  op.step<Vector2>(i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
  op.step<Vector3>(i, 4, a, b, c, d, p0, p1, p2, p3, p4, p5, p6, p7);
}

/** y = 0 */
@final class Zero {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, _b: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(y, i, i32x4.splat(0), lanes);
  }
}

/** y ← 0 over n elements. Not memory.fill, which in WebKit (2.50) traps where it ends at the last byte of 4 GiB. */
export function clear(y: usize, n: i32): void {
  map<Zero>(n, y);
}

/** y = f(x): `apply(x: v128): v128`. */
@final class Unary<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(y, i, changetype<Op>(0).apply(load<At>(x, i, lanes)), lanes);
  }
}

/** y ← f(x) over n elements: `apply(x: v128): v128`. Where f is `heavy`, in the loop of `mapHeavy`; likewise below. */
// @ts-ignore: decorator
@inline
export function mapUnary<Op>(y: usize, x: usize, n: i32, heavy: bool = false): void {
  if (heavy) mapHeavy<Unary<Op>>(n, y, x);
  else map<Unary<Op>>(n, y, x);
}

/** y = f(x; p): `apply(x: v128, p: v128): v128`. */
@final class UnaryWith<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    p: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(y, i, changetype<Op>(0).apply(load<At>(x, i, lanes), p), lanes);
  }
}

/** y ← f(x; p) over n elements: `apply(x: v128, p: v128): v128`. */
// @ts-ignore: decorator
@inline
export function mapUnaryWith<Op>(y: usize, x: usize, n: i32, p: v128): void {
  map<UnaryWith<Op>>(n, y, x, 0, 0, p);
}

/**
 * y = f(x) with constants in the lanes of a…g:
 * `apply(x: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128`.
 */
@final class UnaryWithConstants<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, _7: v128,
  ): void {
    store<At>(y, i, changetype<Op>(0).apply(load<At>(x, i, lanes), a, b, c, d, e, f, g), lanes);
  }
}

/**
 * y ← f(x) over n elements, for a function of many constants: `apply` as above, and `constants(i: i32): v128`, which
 * gives a…g for i = 0…6.
 */
// @ts-ignore: decorator
@inline
export function mapUnaryWithConstants<Op>(y: usize, x: usize, n: i32, heavy: bool = false): void {
  mapUnaryWithConstantsAnd<Op>(y, x, n, constantsOf<Op>(6, runtimeZero(n)), heavy);
}

/** y ← f(x; p) likewise: p takes the place of g. */
// @ts-ignore: decorator
@inline
export function mapUnaryWithConstantsAnd<Op>(y: usize, x: usize, n: i32, p: v128, heavy: bool = false): void {
  const zero = runtimeZero(n);
  const a = constantsOf<Op>(0, zero);
  const b = constantsOf<Op>(1, zero);
  const c = constantsOf<Op>(2, zero);
  const d = constantsOf<Op>(3, zero);
  const e = constantsOf<Op>(4, zero);
  const f = constantsOf<Op>(5, zero);
  if (heavy) mapHeavy<UnaryWithConstants<Op>>(n, y, x, 0, 0, a, b, c, d, e, f, p);
  else map<UnaryWithConstants<Op>>(n, y, x, 0, 0, a, b, c, d, e, f, p);
}

/** y = f(x) where `ordinary` held: `applyOrdinary` with the arguments of `apply`. */
@final class UnaryOrdinary<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, y: usize, x: usize, _c: usize, _d: usize,
    a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, _7: v128,
  ): void {
    store<At>(y, i, changetype<Op>(0).applyOrdinary(load<At>(x, i, lanes), a, b, c, d, e, f, g), lanes);
  }
}

/**
 * `mapUnaryWithConstants` for a function that is cheaper away from its ends: `applyOrdinary` takes the place of `apply`,
 * with the same bits, for sixteen elements of which `ordinary(x0: v128, x1: v128, x2: v128, x3: v128, a: v128, …, g: v128)`
 * is true. The others, and what is left of n, go by the vector.
 */
// @ts-ignore: decorator
@inline
export function mapUnaryOrdinary<Op>(y: usize, x: usize, n: i32): void {
  const op = changetype<Op>(0);
  const every = changetype<UnaryWithConstants<Op>>(0);
  const zero = runtimeZero(n);
  const a = constantsOf<Op>(0, zero);
  const b = constantsOf<Op>(1, zero);
  const c = constantsOf<Op>(2, zero);
  const d = constantsOf<Op>(3, zero);
  const e = constantsOf<Op>(4, zero);
  const f = constantsOf<Op>(5, zero);
  const g = constantsOf<Op>(6, zero);
  let i = 0;
  while (i < n) {
    for (; i + 16 <= n; i += 16) {
      const p = x + (i << 2);
      if (!op.ordinary(v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), a, b, c, d, e, f, g)) break;
      sixteen<UnaryOrdinary<Op>>(i, y, x, 0, 0, a, b, c, d, e, f, g, zero);
    }
    const end = min(i + 16, n);
    for (; i < end; i += 4) every.step<Vector0>(i, n - i, y, x, 0, 0, a, b, c, d, e, f, g, zero);
  }
}

/** z = f(x, y): `apply(x: v128, y: v128): v128`. */
@final class Binary<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, z: usize, x: usize, y: usize, _d: usize,
    _0: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(z, i, changetype<Op>(0).apply(load<At>(x, i, lanes), load<At>(y, i, lanes)), lanes);
  }
}

/** z ← f(x, y) over n elements: `apply(x: v128, y: v128): v128`. */
// @ts-ignore: decorator
@inline
export function mapBinary<Op>(z: usize, x: usize, y: usize, n: i32): void {
  map<Binary<Op>>(n, z, x, y);
}

/** z = f(x, y; p): `apply(x: v128, y: v128, p: v128): v128`. */
@final class BinaryWith<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, z: usize, x: usize, y: usize, _d: usize,
    p: v128, _1: v128, _2: v128, _3: v128, _4: v128, _5: v128, _6: v128, _7: v128,
  ): void {
    store<At>(z, i, changetype<Op>(0).apply(load<At>(x, i, lanes), load<At>(y, i, lanes), p), lanes);
  }
}

/** z ← f(x, y; p) over n elements: `apply(x: v128, y: v128, p: v128): v128`. */
// @ts-ignore: decorator
@inline
export function mapBinaryWith<Op>(z: usize, x: usize, y: usize, n: i32, p: v128): void {
  map<BinaryWith<Op>>(n, z, x, y, 0, p);
}

/**
 * z = f(x, y) with constants in the lanes of a…g:
 * `apply(x: v128, y: v128, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128): v128`.
 */
@final class BinaryWithConstants<Op> {
  // @ts-ignore: decorator
  @inline
  step<At>(
    i: usize, lanes: i32, z: usize, x: usize, y: usize, _d: usize,
    a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, _7: v128,
  ): void {
    const result = changetype<Op>(0).apply(load<At>(x, i, lanes), load<At>(y, i, lanes), a, b, c, d, e, f, g);
    store<At>(z, i, result, lanes);
  }
}

/** z ← f(x, y) over n elements, for a function of many constants: `apply` as above, and `constants(i: i32): v128`. */
// @ts-ignore: decorator
@inline
export function mapBinaryWithConstants<Op>(z: usize, x: usize, y: usize, n: i32, heavy: bool = false): void {
  const zero = runtimeZero(n);
  const a = constantsOf<Op>(0, zero);
  const b = constantsOf<Op>(1, zero);
  const c = constantsOf<Op>(2, zero);
  const d = constantsOf<Op>(3, zero);
  const e = constantsOf<Op>(4, zero);
  const f = constantsOf<Op>(5, zero);
  const g = constantsOf<Op>(6, zero);
  if (heavy) mapHeavy<BinaryWithConstants<Op>>(n, z, x, y, 0, a, b, c, d, e, f, g);
  else map<BinaryWithConstants<Op>>(n, z, x, y, 0, a, b, c, d, e, f, g);
}
