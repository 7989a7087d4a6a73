/** The runtimes that suites run in, and how each is started on one. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BROWSERS, missing, visit, type BrowserName } from "../../scripts/browsers.js";
import { signalGroup, start } from "../../scripts/children.js";
import { ISOLATION } from "../../scripts/serve.js";
import type { Report } from "./nodeTest.js";
import type { Order } from "./start.js";
import { FOLDER, type SuiteName } from "./suites.js";

/** Seconds that a suite may take in one runtime. */
const TIMEOUT = 600;

export interface Runtime {
  readonly name: string;
  /** By suite, the tests to run there: a pattern for their names, or true for all. */
  readonly suites: Readonly<Partial<Record<SuiteName, string | true>>>;
  /** Why it cannot be started here; undefined where it can. */
  missing(): string | undefined;
  /** Rejects where it does not come to a report. */
  run(order: Order): Promise<Report>;
}

const ALL = { kernels: true, library: true, package: true, fingerprint: true } as const;
/** Of the kernels, those that the others' chains of rounding go through: an emulated processor is some ten times slower. */
const REDUCED = {
  kernels: "^(sgemm|batchNorm|exp|tanh|softmax|adam|philox)\\w* strict: every shape",
  library: "^(Dense|fit)",
  fingerprint: "recorded",
};

const tools = fileURLToPath(new URL("../../tools/", import.meta.url));
const inTools = (file: string): string => path.join(tools, file);
const RELAXED = "--experimental-wasm-relaxed-simd";

/** Something with a console, which prints the report. */
function program(
  name: string,
  command: readonly string[],
  options: Partial<Runtime> & { thread?: boolean } = {},
): Runtime {
  const [executable = ""] = command;
  return {
    name,
    suites: ALL,
    missing: () => (existsSync(executable) ? undefined : "npm ci --ignore-scripts --prefix tools/runtimes installs it"),
    run: (order) => {
      const file = path.join(FOLDER, "program.js");
      return report([...command, file, JSON.stringify(order), ...(options.thread ? ["--thread"] : [])]);
    },
    ...options,
  };
}

/** Runs a command to its end; its last line is the report. */
async function report(command: readonly string[]): Promise<Report> {
  const child = start(command);
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), TIMEOUT * 1e3);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  clearTimeout(timer);
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  if (code !== 0 || !line.startsWith("{")) {
    throw new Error(`It ended with exit code ${String(code)}.\n${(output + errors).slice(-2000)}`);
  }
  return JSON.parse(line) as Report;
}

/**
 * WebKit collects garbage when there is as much of it as there is memory in use, in which it counts the tests' memories of 4 GiB,
 * touched or not. So the tests' arrays grew to 7 GB and, within minutes, to a standstill. This makes it collect every 64 MiB.
 */
const COLLECTS = { JSC_gcMaxHeapSize: String(64 * 2 ** 20) };

/** A page, or a Web Worker of one (`hash`), served with `headers`; `what` tells it from the browser's others. */
function page(
  browser: BrowserName,
  { what = "", hash = "", headers = ISOLATION, suites = ALL }: PageOptions = {},
): Runtime {
  return {
    name: `${browser}${what}`,
    suites,
    missing: () => missing(browser),
    run: async (order) => {
      const { result } = await visit<Report | { error: string }>(browser, FOLDER, {
        page: `?${encodeURIComponent(JSON.stringify(order))}${hash}`,
        timeout: TIMEOUT,
        headers,
        environment: COLLECTS,
      });
      if ("error" in result) throw new Error(result.error);
      return result;
    },
  };
}

interface PageOptions {
  readonly what?: string;
  readonly hash?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly suites?: Runtime["suites"];
}

/** The policy of a page that lets scripts run but none compile WebAssembly. */
const FORBIDS = { "Content-Security-Policy": "script-src 'self'" };

const ARM64 = inTools("arm64/node_modules/node-arm64/bin/node");
const SYSTEM = "/usr/aarch64-linux-gnu";

function missingArm64(): string | undefined {
  if (!existsSync(ARM64)) return "npm ci --ignore-scripts --force --prefix tools/arm64 installs its Node";
  const qemu = spawnSync("qemu-aarch64", ["--version"]).status === 0;
  return qemu && existsSync(SYSTEM) ? undefined : "apt-get install qemu-user libstdc++6-arm64-cross";
}

const node = (major: number) => inTools(`runtimes/node_modules/node-${major}/bin/node`);
const isNode20 = process.versions.node.startsWith("20.");

export const RUNTIMES: readonly Runtime[] = [
  program("Node 24, ARM64", ["qemu-aarch64", "-L", SYSTEM, ARM64], { missing: missingArm64, suites: REDUCED }), // first, since it takes longest
  program("Node 20", [process.execPath, RELAXED], {
    missing: () => (isNode20 ? undefined : "run this command by Node 20"),
  }),
  ...[22, 24, 26].map((major) => program(`Node ${major}`, [node(major)])),
  program("Node 24, worker_thread", [node(24)], { thread: true }),
  program("Bun", [inTools("runtimes/node_modules/@oven/bun-linux-x64/bin/bun"), "run"]),
  program("Deno", [inTools("runtimes/node_modules/@deno/linux-x64-glibc/deno"), "run", "--allow-all"]),
  ...BROWSERS.flatMap((browser) => [
    page(browser),
    page(browser, { what: ", Web Worker", hash: "#worker" }),
    page(browser, { what: ", no wasm-unsafe-eval", headers: FORBIDS, suites: { policy: true } }),
  ]),
];
