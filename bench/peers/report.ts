/** The comparison as people and programs read it. */
import { drawer, figure } from "../report.js";
import type { Absence, PeerResult } from "./measure.js";
import { RELAXED, STRICT } from "./peers.js";

/** One JSON object, without a newline. */
export function jsonLine({ suite, case: name, peer, version, engine, best, median, unit }: PeerResult): string {
  return JSON.stringify({ suite, case: name, peer, version, engine, best, median, unit });
}

/** What all results of a run share. */
export interface Setting {
  readonly processor: string;
  /** The core that all peers stayed on, if they did. */
  readonly core: string | undefined;
  /** Of the rounds of each case. */
  readonly seconds: number;
  /** How many rounds the cases had. */
  readonly rounds: readonly number[];
}

/** Figures where more is better. */
const isSpeed = ({ unit }: PeerResult): boolean => unit === "GFLOP/s" || unit === "GB/s";

/** How many times as fast `ours` is as `other`, by the best and the median samples. */
export function ratios(ours: PeerResult, other: PeerResult): { best: number; median: number } {
  const ratio = (a: number, b: number) => (isSpeed(ours) ? a / b : b / a);
  return { best: ratio(ours.best, other.best), median: ratio(ours.median, other.median) };
}

/** Who took part, the figures, and ratios to them of both of our binaries. */
export function report(
  results: readonly PeerResult[],
  absences: readonly Absence[],
  { processor, core, seconds, rounds }: Setting,
  format: "table" | "markdown",
): string {
  const draw = drawer(format);
  const names = [...new Set(results.map(({ peer }) => peer))];
  const cases = [...new Set(results.map((result) => result.case))];
  const place = core === undefined ? "not pinned to a core" : `pinned to core ${core}`;
  const both = (one: { best: number; median: number } | undefined) =>
    one === undefined ? "–" : `${figure(one.best)} (${figure(one.median)})`;
  const find = (name: string, peer: string) => results.find((one) => one.case === name && one.peer === peer);
  const figures = cases.map((name) => {
    const unit = results.find((one) => one.case === name)?.unit ?? "";
    return [name, unit, ...names.map((peer) => both(find(name, peer)))];
  });
  const parts = [
    `${processor}, all peers ${place}; ${figure(seconds)} s of interleaved rounds a case, ${range(rounds)} of them.`,
    draw(
      ["peer", "version and engine"],
      names.map((name) => {
        const { version = "", engine = "" } = results.find(({ peer }) => peer === name) ?? {};
        return [name, `${version}, ${engine}`];
      }),
    ),
    "Best (median):",
    draw(["case", "unit", ...names], figures),
  ];
  for (const ours of [RELAXED, STRICT]) {
    const others = names.filter((name) => name !== ours);
    if (!names.includes(ours) || others.length === 0) continue;
    const rows = cases.map((name) => {
      const one = find(name, ours);
      return [
        name,
        ...others.map((peer) => {
          const other = find(name, peer);
          return both(one && other && ratios(one, other));
        }),
      ];
    });
    parts.push(`How many times as fast ${ours} is, best (median):`, draw(["case", ...others], rows, 1));
  }
  if (absences.length > 0) parts.push(absences.map(absenceLine).join("\n"));
  return parts.join("\n\n");
}

/** For example 20 to 25. */
function range(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least} to ${most}`;
}

/** For example `skipped ml-matrix in NN 4x4x4: why`. */
export function absenceLine({ case: name, peer, reason }: Absence): string {
  return `skipped ${peer}${name === undefined ? "" : ` in ${name}`}: ${reason}`;
}
