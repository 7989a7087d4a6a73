/** Makes the page's static folder: bundles, styles, binaries, the probes of the machine's limits, and MNIST in parts. */
import * as esbuild from "esbuild";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { buildProbes, root, runNode } from "../../bench/launch.js";
import { loadMnist, type Digits } from "../../examples/mnist/data.js";
import { joinPart, partNames } from "../../site/train/mnistParts.js";

const inRoot = (file: string): string => path.join(root, file);

/** Where the page's files lie after a build. */
export const SITE_FOLDER = inRoot("build/site");

/** Scripts that the page or a worker starts with; what they share goes into chunks beside them. */
const ENTRIES = {
  page: "site/page.ts",
  trainWorker: "site/train/worker.ts",
  insideWorker: "site/inside/worker.ts",
  measureWorker: "site/measure/worker.ts",
};

const COPIES = {
  "index.html": "site/index.html",
  "icon.svg": "site/icon.svg",
  "strict.wasm": "build/wasm/strict.wasm",
  "relaxed.wasm": "build/wasm/relaxed.wasm",
  "probes-strict.wasm": "build/probes/strict.wasm",
  "probes-relaxed.wasm": "build/probes/relaxed.wasm",
};

/** A file of the folder and its size as it is and as servers send it. */
export interface FileSize {
  readonly file: string;
  readonly bytes: number;
  readonly gzipped: number;
}

/** Bytes that a visit to all parts of the page may transfer without data, gzipped. */
const BUDGET = 150_000;

/** What a visit transfers in a browser that runs the strict binaries, and in one that runs the relaxed ones. */
export function visits(sizes: readonly FileSize[]): FileSize[] {
  return ["strict", "relaxed"].map((variant) => {
    const other = variant === "strict" ? "relaxed" : "strict";
    const transferred = sizes.filter(({ file }) => !file.includes(other));
    const total = (key: "bytes" | "gzipped") => transferred.reduce((sum, size) => sum + size[key], 0);
    return { file: `a visit, ${variant}`, bytes: total("bytes"), gzipped: total("gzipped") };
  });
}

/** Builds everything that is not there yet. Returns the sizes of all files but the data, which keep to the budget. */
export async function buildSite(): Promise<FileSize[]> {
  runNode("scripts/build.mjs", "--wasm");
  buildProbes();
  mkdirSync(SITE_FOLDER, { recursive: true });
  for (const file of codeFiles()) rmSync(path.join(SITE_FOLDER, file));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [
      ...Object.entries(ENTRIES).map(([out, file]) => ({ in: file, out })),
      { in: "site/page.css", out: "page" },
    ],
    outdir: SITE_FOLDER,
    chunkNames: "shared-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
  for (const [file, source] of Object.entries(COPIES)) cpSync(inRoot(source), path.join(SITE_FOLDER, file));
  packMnist();
  const sizes = codeFiles().map((file) => {
    const content = readFileSync(path.join(SITE_FOLDER, file));
    return { file, bytes: content.length, gzipped: gzipSync(content, { level: 9 }).length };
  });
  const over = visits(sizes).find(({ gzipped }) => gzipped > BUDGET);
  if (over) throw new Error(`${over.file}, transfers ${over.gzipped} bytes without data; it may ${BUDGET}.`);
  return sizes;
}

/** The files of the folder, without the data in its own folder. */
function codeFiles(): string[] {
  return readdirSync(SITE_FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

/** Writes the parts of both sets, once: they depend on nothing here but the size of a part. */
function packMnist(): void {
  const last = path.join(SITE_FOLDER, partNames("test", 10_000).at(-1)!);
  if (existsSync(last)) return;
  mkdirSync(path.dirname(last), { recursive: true });
  const pack = (set: "train" | "test", { count, images: x, labels }: Digits) => {
    partNames(set, count).forEach((name, part) => {
      writeFileSync(path.join(SITE_FOLDER, name), gzipSync(joinPart({ x, labels }, part), { level: 9 }));
    });
  };
  const { train, test } = loadMnist();
  pack("train", train);
  pack("test", test);
}
