/** The results as people and programs read them. */
import type { Measured, Result, Stream } from "./harness.js";
import type { CacheLevel } from "./machine.js";

/** What all results of a run share. */
export interface Setting {
  readonly variant: string;
  readonly engine: string;
  readonly processor: string;
  /** The core that the run stayed on, if it did. */
  readonly core: number | undefined;
  readonly seconds: number;
  readonly rounds: number;
}

/** What the probes measured. */
export interface MachineFigures {
  /** Operations a second. */
  readonly peak: number;
  readonly levels: readonly CacheLevel[];
  readonly streams: readonly Stream[];
  /** Bytes a second, read and written, by level and stream. */
  readonly bandwidth: readonly (readonly number[])[];
}

/** What a run found. */
export interface Session extends Measured {
  readonly variant: string;
  readonly machine: MachineFigures;
}

/**
 * Prints a run's results on standard output. Says whether all were possible: on standard error what was not, since then a case
 * or its limit is wrong.
 */
export function printSession(
  { results, impossible, machine, ...extent }: Session,
  where: Pick<Setting, "engine" | "processor" | "core">,
  format: "table" | "json" | "markdown",
): boolean {
  const setting = { ...extent, ...where };
  if (format === "json") for (const result of results) console.log(jsonLine(result, setting));
  else console.log(report(results, setting, machine, format));
  for (const { case: name, shareOfLimit } of impossible) {
    const share = `${(100 * shareOfLimit).toFixed(1)} % of the limit`;
    console.error(
      `bench: ${name} seems faster than this machine can be (${share}), so its case or its limit is wrong.`,
    );
  }
  return impossible.length === 0;
}

/** Shows what is going on where a person is watching, on one line of standard error. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** One JSON object, without a newline. */
export function jsonLine(result: Result, { variant, engine }: Pick<Setting, "variant" | "engine">): string {
  const { case: name, best, median, unit, shareOfLimit } = result;
  return JSON.stringify({ case: name, variant, engine, best, median, unit, shareOfLimit });
}

/** The machine, its limits and the results. */
export function report(
  results: readonly Result[],
  setting: Setting,
  machine: MachineFigures,
  format: "table" | "markdown",
): string {
  const draw = drawer(format);
  const { variant, engine, processor, core, seconds, rounds } = setting;
  const place = core === undefined ? "not pinned to a core" : `pinned to core ${core}`;
  const times = `${rounds} interleaved ${rounds === 1 ? "round" : "rounds"} in ${figure(seconds)} s`;
  const streams = machine.levels.map(({ name, footprint }, level) => {
    const speeds = machine.streams.map((_, stream) => figure((machine.bandwidth[level]?.[stream] ?? NaN) / 1e9));
    return [name, bytes(footprint), ...speeds];
  });
  const rows = results.map(({ case: name, best, median, unit, shareOfLimit }) => {
    return [name, unit, figure(best), figure(median), `${(100 * shareOfLimit).toFixed(1)} %`];
  });
  return [
    `${variant} binary, ${engine}, ${processor}, ${place}; ${times}.`,
    `Peak of the multiply-add probes: ${figure(machine.peak / 1e9)} GFLOP/s. Streams, GB/s read and written:`,
    draw(["level", "footprint", ...machine.streams], streams),
    draw(["case", "unit", "best", "median", "share of limit"], rows),
  ].join("\n\n");
}

/** Draws a table; its first columns, two unless said otherwise, are words and start at the left, the others end at the right. */
export function drawer(format: "table" | "markdown"): typeof aligned {
  return format === "table" ? aligned : markdown;
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Number.isFinite(magnitude) ? Math.min(6, Math.max(0, 2 - magnitude)) : 0);
}

function bytes(count: number): string {
  return count < 2 ** 20 ? `${Math.round(count / 2 ** 10)} KiB` : `${Math.round(count / 2 ** 20)} MiB`;
}

type Rows = readonly (readonly string[])[];

function aligned(header: readonly string[], rows: Rows, words = 2): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => {
    const cells = row.map((text, column) => {
      const width = widths[column] ?? 0;
      return column < words ? text.padEnd(width) : text.padStart(width);
    });
    return cells.join("  ").trimEnd();
  };
  return [header, ...rows].map(line).join("\n");
}

function markdown(header: readonly string[], rows: Rows, words = 2): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  const rule = header.map((_, column) => (column < words ? "---" : "---:"));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}
