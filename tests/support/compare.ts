/**
 * How near a float32 must be to a float64 reference.
 * - "exact": the reference rounded to float32; any NaN equals any NaN, −0 is not 0.
 * - ulp: distance in units of the float32 spacing at the reference (2⁻¹⁴⁹ for denormals).
 * - absolute: distance.
 * - roundings: that many half-spacings (2⁻²⁴) of the magnitude that was accumulated, whatever cancelled in it.
 */
export type Tolerance = "exact" | { ulp: number } | { absolute: number } | { roundings: number };

/** What an array must hold. */
export interface Expectation {
  values: ArrayLike<number>;
  /** For all elements, or for each. */
  tolerance: Tolerance | ((index: number) => Tolerance);
  /** For a tolerance in roundings. */
  magnitude?: ArrayLike<number>;
  /** Which elements this is about; all by default. */
  covers?: (index: number) => boolean;
}

const float64 = new Float64Array(1);
const words = new Uint32Array(float64.buffer);

/** The spacing of float32 at a float64 value. */
export function spacing(value: number): number {
  float64[0] = value;
  const exponent = ((words[1]! >>> 20) & 0x7ff) - 1023;
  return 2 ** Math.max(exponent - 23, -149);
}

/** Distance between a float32 and a float64 reference, in ULP of the reference. 0 when both are NaN or the same infinity. */
export function ulpDistance(actual: number, expected: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (Number.isNaN(expected) || Number.isNaN(actual)) return Infinity;
  const rounded = Math.fround(expected);
  if (!Number.isFinite(rounded) || !Number.isFinite(actual)) return actual === rounded ? 0 : Infinity;
  return Math.abs(actual - expected) / spacing(expected);
}

/** Null when `actual` is near enough to `expected`, else why it is not. */
function mismatch(actual: number, expected: number, tolerance: Tolerance, magnitude: number): string | null {
  if (tolerance === "exact") return Object.is(actual, Math.fround(expected)) ? null : "exactly";
  if ("ulp" in tolerance) {
    const distance = ulpDistance(actual, expected);
    return distance <= tolerance.ulp ? null : `${distance.toFixed(2)} ULP apart, at most ${String(tolerance.ulp)}`;
  }
  if (Object.is(actual, expected) || actual === Math.fround(expected)) return null;
  if ("absolute" in tolerance) {
    const distance = Math.abs(actual - expected);
    return distance <= tolerance.absolute ? null : `${String(distance)} apart, at most ${String(tolerance.absolute)}`;
  }
  const bound = tolerance.roundings * (magnitude * 2 ** -24 + 2 ** -150);
  const distance = Math.abs(actual - expected);
  if (distance <= bound) return null;
  return `${(distance / (bound / tolerance.roundings)).toFixed(1)} roundings apart, at most ${String(tolerance.roundings)}`;
}

/**
 * Throws at the first element of `actual` that is not as expected, naming `context` (operation, variant, shape), the array,
 * the index and both values.
 */
export function expectClose(context: string, name: string, actual: ArrayLike<number>, expected: Expectation): void {
  const { values, tolerance, magnitude, covers } = expected;
  if (actual.length !== values.length) {
    throw new Error(`${context}: ${name} has ${String(actual.length)} elements, expected ${String(values.length)}.`);
  }
  for (let i = 0; i < values.length; i++) {
    if (covers && !covers(i)) continue;
    const here = typeof tolerance === "function" ? tolerance(i) : tolerance;
    const reason = mismatch(actual[i]!, values[i]!, here, magnitude?.[i] ?? NaN);
    if (reason !== null) {
      throw new Error(
        `${context}: ${name}[${String(i)}] is ${print(actual[i]!)}, expected ${print(values[i]!)} (${reason}).`,
      );
    }
  }
}

/** Throws at the first element whose bits differ. */
export function expectSameBits(
  context: string,
  name: string,
  actual: ArrayBufferView,
  expected: ArrayBufferView,
): void {
  if (actual.byteLength !== expected.byteLength) {
    throw new Error(
      `${context}: ${name} has ${String(actual.byteLength)} bytes, expected ${String(expected.byteLength)}.`,
    );
  }
  const a = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
  const b = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  const at = a.findIndex((byte, i) => byte !== b[i]);
  if (at < 0) return;
  const width = (expected as Float32Array).BYTES_PER_ELEMENT;
  const index = Math.floor(at / width);
  const value = (view: ArrayBufferView) => print((view as Float32Array)[index]!);
  throw new Error(
    `${context}: ${name}[${String(index)}] is ${value(actual)}, expected the same bits as ${value(expected)}.`,
  );
}

function print(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
