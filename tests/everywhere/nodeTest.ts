/**
 * Stands for node:test where suites run outside of Node: `test` and `describe` register, `run` runs what is registered, one
 * after the other. Of node:test it has what those suites use.
 */
interface Options {
  readonly skip?: string | boolean;
}

/** What a test is given. */
export interface TestContext {
  diagnostic(message: string): void;
}

type Body = (context: TestContext) => unknown;

/** What became of a suite in one runtime. */
export interface Report {
  passed: number;
  readonly failed: { readonly name: string; readonly message: string }[];
  readonly skipped: { readonly name: string; readonly reason: string }[];
  /** Milliseconds. */
  time: number;
}

const tests: { name: string; skip: string | undefined; body: Body }[] = [];

/** Names of the describes around what is being registered, and why the outermost skipped one is skipped. */
let around: string[] = [];
let skipAround: string | undefined;

const reasonOf = ({ skip = false }: Options): string | undefined =>
  skip === false ? undefined : skip === true ? "no reason given" : skip;

const withOptions = <B>(rest: [B] | [Options, B]): [Options, B] => (rest.length === 1 ? [{}, rest[0]] : rest);

export function test(name: string, ...rest: [Body] | [Options, Body]): Promise<void> {
  const [options, body] = withOptions(rest);
  tests.push({ name: [...around, name].join(" › "), skip: skipAround ?? reasonOf(options), body });
  return Promise.resolve();
}

export const it = test;

export function describe(name: string, ...rest: [() => void] | [Options, () => void]): Promise<void> {
  const [options, body] = withOptions(rest);
  const before = [around, skipAround] as const;
  around = [...around, name];
  skipAround ??= reasonOf(options);
  body();
  [around, skipAround] = before;
  return Promise.resolve();
}

/** A page's main thread must come to breathe, or its browser takes it for hung. */
const BREATH = 200;

/** Runs the tests whose names match. */
export async function run(only = /(?:)/): Promise<Report> {
  const report: Report = { passed: 0, failed: [], skipped: [], time: 0 };
  const started = performance.now();
  let breathed = started;
  for (const { name, skip, body } of tests.filter(({ name }) => only.test(name))) {
    if (skip !== undefined) {
      report.skipped.push({ name, reason: skip });
      continue;
    }
    try {
      await body({ diagnostic: () => undefined });
      report.passed++;
    } catch (error) {
      report.failed.push({ name, message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
    }
    if (performance.now() - breathed < BREATH) continue;
    await new Promise((resolve) => setTimeout(resolve));
    breathed = performance.now();
  }
  report.time = performance.now() - started;
  return report;
}
