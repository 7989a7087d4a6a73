import * as check from "../check.js";
import { ArgumentError, UnsupportedEngineError } from "../errors.js";
import { decode, forSharedMemory } from "./binary.js";
import { capabilities, type Variant } from "./features.js";
import { fetchBytes } from "./fetch.js";
import { loadKernels, loadKernelsSync, type Binary } from "./kernels.js";
import { isBuffer, isMemory, isModule, isShared, isUrl } from "./kinds.js";
import { Heap, PAGE } from "./memory.js";
import { Runtime } from "./runtime.js";

const GIB = 1073741824;

/** Where the binary of each variant is, for those that may be taken. */
export type BinaryUrls = Readonly<Partial<Record<Variant, string | URL>>>;

/** At most one of `module`, `bytes` and `url` may be given; without, the binaries that the package holds are taken. */
export interface InitOptions {
  /**
   * "strict": the same bits on every engine and processor. "relaxed": fused multiply-add, faster where the processor
   * has it. "auto" (the default) takes relaxed where one witness multiply-add shows that it fuses, else strict; with a
   * binary of yours, its variant.
   */
  readonly variant?: Variant | "auto";
  /** Bytes that the memory may grow to, at most and by default 4 GiB (1 GiB when shared, which reserves it at once). */
  readonly maximumMemory?: number;
  /** Whether the memory is shared with workers. */
  readonly shared?: boolean;
  /** A memory to work in, for instance another library's: what it holds stays, tensors lie in pages that it grows by. */
  readonly memory?: WebAssembly.Memory;
  /** A compiled binary, as another runtime's `module`: compiled once for many workers, or where compiling is forbidden. */
  readonly module?: WebAssembly.Module;
  /** The bytes of a binary, as of simdgrad/strict.wasm. */
  readonly bytes?: BufferSource;
  /** Where to fetch a binary: one, or one for each variant, of which only the one taken is fetched. `init` alone takes it. */
  readonly url?: string | URL | BinaryUrls;
}

/** The binaries that an entry of the package holds, as strings with a byte in each character. */
export type HeldBinaries = Readonly<Partial<Record<Variant, string>>>;

/** What the options and the engine come to. `variant` is undefined where only the binary given will tell. */
interface Plan {
  readonly variant: Variant | undefined;
  readonly reason: string;
  readonly shared: boolean;
  readonly heap: Heap;
}

const SOURCES = ["module", "bytes", "url"] as const;

/** Checks the options on their own. */
function checkOptions(operation: string, options: InitOptions): void {
  const { variant = "auto", shared, memory, module, bytes, url } = check.options(operation, options);
  check.oneOf(operation, "variant", variant, ["strict", "relaxed", "auto"]);
  if (shared !== undefined) check.boolean(operation, "shared", shared);
  if (options.maximumMemory !== undefined) {
    check.integer(operation, "maximumMemory", options.maximumMemory, PAGE, 4 * GIB);
  }
  const given = SOURCES.filter((name) => options[name] !== undefined);
  if (given.length > 1) throw new ArgumentError(`${operation}: ${given.join(" and ")} are given; pass one of them.`);
  if (module !== undefined && !isModule(module)) {
    check.argument(operation, "module", module, "a WebAssembly.Module");
  }
  if (bytes !== undefined && !isBuffer(bytes)) {
    check.argument(operation, "bytes", bytes, "an ArrayBuffer or a view of one");
  }
  if (url !== undefined && (url === null || !["string", "object"].includes(typeof url))) {
    check.argument(operation, "url", url, "a string, a URL, or one of them for each variant");
  }
  if (memory !== undefined) {
    if (!isMemory(memory)) check.argument(operation, "memory", memory, "a WebAssembly.Memory");
    if (shared !== undefined && shared !== isShared(memory)) {
      throw new ArgumentError(
        `${operation}: shared is ${String(shared)} but memory is ${shared ? "not " : ""}shared; leave shared out.`,
      );
    }
  }
}

/** The variants among which to choose; none where the binary given decides. */
function offered({ module, bytes, url }: InitOptions, held: HeldBinaries): Variant[] {
  if (module !== undefined || bytes !== undefined || isUrl(url)) return [];
  const all: Variant[] = ["strict", "relaxed"];
  return all.filter((variant) => (url ?? held)[variant] !== undefined);
}

/** Chooses a variant and says why. */
function choose(
  operation: string,
  options: InitOptions,
  held: HeldBinaries,
): { variant: Variant | undefined; reason: string } {
  const wanted = options.variant ?? "auto";
  const variants = offered(options, held);
  const { recommended, reason, relaxedSimd } = capabilities();
  if (!recommended) {
    const missing = reason.replace("the engine has no ", "");
    throw new UnsupportedEngineError(
      operation,
      missing,
      "take one from 2023 or later (Node 20, Chrome 91, Safari 16.4)",
    );
  }
  if (wanted === "relaxed" && !relaxedSimd) {
    throw new UnsupportedEngineError(operation, "relaxed SIMD", 'take variant "strict" or "auto"');
  }
  if (SOURCES.every((name) => options[name] === undefined) && variants.length === 0) {
    throw new ArgumentError(`${operation}: simdgrad/core holds no binaries; pass url, bytes or module.`);
  }
  if (wanted !== "auto") {
    if (variants.length > 0 && !variants.includes(wanted)) {
      throw new ArgumentError(
        `${operation}: variant is "${wanted}" but there is only the ${variants.join()} binary; pass that one, or import "simdgrad".`,
      );
    }
    return { variant: wanted, reason: `variant "${wanted}" was asked for` };
  }
  if (variants.length === 0) return { variant: undefined, reason: "it is the variant of the binary given" };
  if (variants.includes(recommended)) return { variant: recommended, reason };
  const [only] = variants;
  if (only === "relaxed" && !relaxedSimd) {
    throw new UnsupportedEngineError(operation, "relaxed SIMD", "offer the strict binary beside the relaxed one");
  }
  return { variant: only, reason: `only the ${String(only)} binary was offered` };
}

/** Checks the options against the engine; says which binary on what memory. */
function plan(operation: string, options: InitOptions, held: HeldBinaries): Plan {
  checkOptions(operation, options);
  const { memory } = options;
  const choice = choose(operation, options, held);
  const shared = memory ? isShared(memory) : (options.shared ?? false);
  if (shared && !capabilities().threads) {
    throw new UnsupportedEngineError(
      operation,
      "shared memory",
      "a page must be cross-origin isolated (COOP and COEP headers), or leave shared out",
    );
  }
  const maximumMemory = options.maximumMemory ?? (shared && !memory ? GIB : 4 * GIB);
  return { ...choice, shared, heap: new Heap(operation, maximumMemory, shared, memory) };
}

/** Compiled once a page, since every runtime of a variant runs the same code. */
const compiled = new Map<string, WebAssembly.Module>();

/** What is at hand: what the options hold or, without, what the package does; undefined where it must be fetched. */
function atHand(
  { module, bytes, url }: InitOptions,
  { variant, shared }: Plan,
  held: HeldBinaries,
): Binary | undefined {
  if (module !== undefined) return { name: "module", source: module };
  if (bytes !== undefined) return { name: "bytes", source: forMemory(bytesOf(bytes), shared) };
  if (url !== undefined || variant === undefined) return undefined;
  const source = compiled.get(`${variant} ${String(shared)}`) ?? forMemory(decode(held[variant] ?? ""), shared);
  return { name: `the ${variant} binary`, source };
}

function bytesOf(source: BufferSource): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}

const forMemory = (binary: Uint8Array<ArrayBuffer>, shared: boolean) => (shared ? forSharedMemory(binary) : binary);

/** Fetches the binary of the plan's variant. */
async function fetchBinary(operation: string, { url }: InitOptions, { variant, shared }: Plan): Promise<Binary> {
  const from = isUrl(url) ? url : (url as BinaryUrls)[variant as Variant];
  const address = String(from);
  const bytes = await fetchBytes(operation, address);
  return { name: `the binary at ${address}`, source: forMemory(bytes, shared) };
}

/** The runtime on loaded kernels, if they are of the variant that was asked for. */
function runtimeOn(
  operation: string,
  { shared, heap, ...plan }: Plan,
  { name }: Binary,
  { kernels, module, variant }: Awaited<ReturnType<typeof loadKernels>>,
): Runtime {
  if (plan.variant !== undefined && plan.variant !== variant) {
    throw new ArgumentError(
      `${operation}: variant is "${plan.variant}" but ${name} is ${variant}; pass the ${plan.variant} binary or name it ${variant}.`,
    );
  }
  if (name === `the ${variant} binary`) compiled.set(`${variant} ${String(shared)}`, module);
  return new Runtime(variant, plan.reason, shared, module, kernels, heap);
}

/** `init` of an entry of the package that holds these binaries. */
export async function initWith(held: HeldBinaries, options: InitOptions): Promise<Runtime> {
  const planned = plan("init", options, held);
  const binary = atHand(options, planned, held) ?? (await fetchBinary("init", options, planned));
  return runtimeOn("init", planned, binary, await loadKernels("init", binary, planned.heap.memory));
}

/** Likewise `initSync`. */
export function initSyncWith(held: HeldBinaries, options: InitOptions): Runtime {
  const planned = plan("initSync", options, held);
  const binary = atHand(options, planned, held);
  if (!binary) throw new ArgumentError("initSync: url needs time; take init, or pass bytes or module.");
  return runtimeOn("initSync", planned, binary, loadKernelsSync("initSync", binary, planned.heap.memory));
}
