/** Who takes part, each at its vendor's best settings: one row a peer. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { engineFlags, findEngine, isNewer, root } from "../launch.js";
import { SUITES, type Suite } from "./cases.js";
import type { Command } from "./remote.js";

export const INSTALL = "npm ci --ignore-scripts --prefix bench/peers";

const ALL: readonly Suite[] = SUITES;

/** Why a peer cannot take part on this machine; the run goes on without it and says so. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

export interface PeerSpec {
  readonly name: string;
  readonly suites: readonly Suite[];
  /** Whether it needs the packages of bench/peers. */
  readonly packages: boolean;
  /** Whether it is a limit that the machine sets rather than somebody's result to be checked. */
  readonly limit: boolean;
  /** Builds what is missing and says how to start it. Throws Unavailable. */
  command(): Command;
}

/** Flags of every JavaScript peer: a collection of garbage before each case instead of within it. */
const FLAGS = ["--expose-gc", "--max-old-space-size=6000"];

interface Script {
  readonly args?: readonly string[];
  readonly packages?: boolean;
  readonly limit?: boolean;
}

/** A peer on Node, by its script in adapters/. All are at their best on Node 24, or within 2 % of it. */
function script(name: string, file: string, suites: readonly Suite[], options: Script = {}): PeerSpec {
  const { args = [], packages = true, limit = false } = options;
  const command = () => {
    const node = findEngine(undefined);
    const adapter = path.join(root, "bench/peers/adapters", `${file}.ts`);
    return { command: [node, ...engineFlags(node), ...FLAGS, "--import", "tsx", adapter, ...args] };
  };
  return { name, suites, packages, limit, command };
}

const ours = (name: string, suites: readonly Suite[], ...args: string[]) =>
  script(name, "simdgrad", suites, { args, packages: false });

const limit = (variant: "strict" | "relaxed") =>
  script(`limit-${variant}`, "limit", ALL, { args: [variant], packages: false, limit: true });

function native(name: string, suites: readonly Suite[], command: () => Command): PeerSpec {
  return { name, suites, packages: false, limit: false, command };
}

/** The SSE kernels of OpenBLAS: 128-bit vectors, as WebAssembly has them. */
const NEHALEM = { OPENBLAS_CORETYPE: "Nehalem" };
const ONE_THREAD = { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" };
/** Otherwise the page faults of large temporaries take most of numpy's time. */
const KEEP_MEMORY = {
  MALLOC_TRIM_THRESHOLD_: "4000000000",
  MALLOC_MMAP_THRESHOLD_: "4000000000",
  MALLOC_TOP_PAD_: "268435456",
};

function runPython(...args: string[]): string {
  const { status, stdout } = spawnSync("python3", args, { encoding: "utf8" });
  if (status !== 0) throw new Unavailable("needs python3 with numpy");
  return stdout.trim();
}

const numpy = (name: string, env: Record<string, string>) =>
  native(name, ALL, () => {
    runPython("-c", "import numpy");
    const file = path.join(root, "bench/peers/native/numpy_peer.py");
    return { command: ["python3", file], env: { ...ONE_THREAD, ...KEEP_MEMORY, ...env } };
  });

/** Compiles native/SOURCE if its program is missing or older. */
function compile(source: string, compiler: string, ...flags: string[]): string {
  const folder = path.join(root, "bench/peers/native");
  const program = path.join(root, "build/peers", path.parse(source).name);
  if (isNewer(program, [path.join(folder, source), path.join(folder, "peer.h")])) return program;
  if (spawnSync(compiler, ["--version"]).error !== undefined) throw new Unavailable(`needs ${compiler}`);
  mkdirSync(path.dirname(program), { recursive: true });
  execFileSync(compiler, [path.join(folder, source), "-o", program, ...flags], { stdio: ["ignore", 2, 2] });
  return program;
}

/** The OpenBLAS inside numpy, which is newer than most systems' own. */
function findOpenBlas(): string {
  const folder = path.join(runPython("-c", "import numpy; print(numpy.__path__[0])"), "../numpy.libs");
  const name = existsSync(folder) ? readdirSync(folder).find((file) => file.includes("openblas")) : undefined;
  if (name === undefined) throw new Unavailable("needs a numpy that brings OpenBLAS");
  return path.join(folder, name);
}

const openBlas = (name: string, env: Record<string, string>) =>
  native(name, ["gemm"], () => {
    const library = findOpenBlas();
    return { command: [compile("openblas.c", "gcc", "-O2", "-ldl"), library], env: { ...ONE_THREAD, ...env } };
  });

const EIGEN = "/usr/include/eigen3";

const eigen = native("eigen-sse", ["gemm"], () => {
  if (!existsSync(EIGEN)) throw new Unavailable(`needs Eigen in ${EIGEN} (libeigen3-dev)`);
  return { command: [compile("eigen.cpp", "g++", "-O3", "-DNDEBUG", "-msse4.2", "-mno-avx", `-I${EIGEN}`)] };
});

export const RELAXED = "simdgrad-relaxed";
export const STRICT = "simdgrad-strict";

export const peers: readonly PeerSpec[] = [
  limit("relaxed"),
  limit("strict"),
  ours(RELAXED, ALL, "relaxed"),
  ours(STRICT, ALL, "strict"),
  ours("simdgrad-prepacked", ["gemm"], "relaxed", "prepacked"),
  ours("simdgrad-functions", ["gemm", "elementwise"], "relaxed", "functions"),
  script("tfjs-wasm", "tfjs", ALL, { args: ["wasm"] }),
  script("tfjs-wasm-layers", "tfjs", ["step"], { args: ["wasm", "layers"] }),
  script("tfjs-cpu", "tfjs", ALL, { args: ["cpu"] }),
  script("jax-js", "jax", ALL),
  script("ort-web", "onnxruntime", ["gemm", "elementwise"]),
  script("ort-web-constant", "onnxruntime", ["gemm"], { args: ["constant"] }),
  script("ml-matrix", "mlMatrix", ["gemm"]),
  script("stdlib", "stdlib", ["gemm"]),
  openBlas("openblas-sse", NEHALEM),
  openBlas("openblas", {}),
  eigen,
  numpy("numpy-sse", NEHALEM),
  numpy("numpy", {}),
];
