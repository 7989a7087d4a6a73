/** What a program of the lecture gives back: what the lecture claims beside what was measured, and figures. */
import type { Runtime } from "simdgrad";
import type { TopLevelSpec } from "vega-lite";

export interface Claim {
  /** What the lecture says. */
  readonly lecture: string;
  /** What came out. */
  readonly measured: string;
  readonly holds: boolean;
}

export interface Findings {
  readonly claims: readonly Claim[];
  /** Vega-Lite specifications by the name of the file. */
  readonly figures?: Readonly<Record<string, TopLevelSpec>>;
}

/** How much to compute: all that a statement needs, or as little as shows that the program works. */
export type Extent = "full" | "brief";

/** One part of the lecture. */
export interface Part {
  readonly name: string;
  readonly title: string;
  run(runtime: Runtime, extent: Extent): Findings | Promise<Findings>;
}

/** A number with three digits. */
export const show = (value: number): string => String(Number(value.toPrecision(3)));
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The greatest difference of two arrays. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((greatest, value, i) => Math.max(greatest, Math.abs(value - b[i]!)), 0);
}

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

export function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - centre) ** 2)));
}

/** A claim that two arrays are equal, up to rounding. */
export function equal(lecture: string, a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): Claim {
  const apart = distance(a, b);
  return { lecture, measured: `at most ${show(apart)} apart`, holds: apart <= tolerance };
}
