import type { Report } from "./nodeTest.js";
import type { SuiteName } from "./suites.js";

/** What a runtime is asked to run. */
export interface Order {
  readonly suite: SuiteName;
  /** A regular expression for the names of the tests; all without. */
  readonly only?: string;
}

/** Runs a suite, which is a file beside the one that is running. */
export async function start({ suite, only }: Order): Promise<Report> {
  const { run } = (await import(new URL(`./${suite}.js`, import.meta.url).href)) as {
    run: (only?: RegExp) => Promise<Report>;
  };
  return run(only === undefined ? undefined : new RegExp(only));
}
