/** What the figures were measured on. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { cpus } from "node:os";
import type { Variant } from "../src/index.js";

const KIB = 1 << 10;
const MIB = 1 << 20;

/** For example `node 24.21.0`. */
export const engine = `node ${process.versions.node}`;

export const processor = cpus()[0]?.model.trim() ?? "unknown processor";

/** The one core that this process may run on; undefined where it may wander. */
export function pinnedCore(): number | undefined {
  if (!existsSync("/proc/self/status")) return undefined;
  const allowed = /^Cpus_allowed_list:\s*(\d+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return allowed === undefined ? undefined : Number(allowed);
}

/** The binary of the machine's probes: buildProbes of launch.ts leaves it there. */
export function readProbes(variant: Variant): Uint8Array<ArrayBuffer> {
  return readFileSync(new URL(`../build/probes/${variant}.wasm`, import.meta.url));
}

export interface CacheLevel {
  readonly name: string;
  /** Bytes that the level holds, infinite for the memory behind the caches. */
  readonly size: number;
  /** Bytes that a stream passes over to stay in this level and out of the one before. */
  readonly footprint: number;
}

/** The data caches of the first core and the memory behind them; sizes as Linux tells them, else common ones. */
export function cacheLevels(directory = "/sys/devices/system/cpu/cpu0/cache"): CacheLevel[] {
  const [l1 = 32 * KIB, l2 = 1 * MIB, l3 = 32 * MIB] = cacheSizes(directory);
  return [
    { name: "L1", size: l1, footprint: Math.min(16 * KIB, l1 / 2) },
    { name: "L2", size: l2, footprint: Math.max(Math.min(384 * KIB, (l2 * 3) / 4), 2 * l1) },
    { name: "L3", size: l3, footprint: Math.max(Math.min(6 * MIB, (l3 * 3) / 4), 2 * l2) },
    { name: "memory", size: Infinity, footprint: Math.max(80 * MIB, 2 * l3) },
  ];
}

/** Sizes in bytes of the data and unified caches, the nearest first. */
function cacheSizes(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const sizes: number[] = [];
  for (const index of readdirSync(directory).filter((name) => name.startsWith("index"))) {
    const read = (file: string) => readFileSync(`${directory}/${index}/${file}`, "utf8").trim();
    if (read("type") === "Instruction") continue;
    const [, count, scale] = /^(\d+)([KM])$/.exec(read("size")) ?? [];
    sizes[Number(read("level")) - 1] = Number(count) * (scale === "M" ? MIB : KIB);
  }
  return sizes;
}
