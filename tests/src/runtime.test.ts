import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import {
  capabilities,
  init,
  initSync,
  OutOfMemoryError,
  relu,
  UnsupportedEngineError,
  type InitOptions,
  type Runtime,
  type SimdgradError,
  type Tensor,
} from "../../src/index.js";
import { throws, VARIANTS } from "./support.js";

const PAGE = 65536;
const wrong = (value: unknown) => value as never;

/** Runs `work` while a global is replaced. */
async function withGlobal<T>(target: object, key: string, value: unknown, work: () => T): Promise<Awaited<T>> {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { value, configurable: true, writable: true });
  try {
    return await work();
  } finally {
    if (before) Object.defineProperty(target, key, before);
    else Reflect.deleteProperty(target, key);
  }
}

describe("init", () => {
  for (const { variant, skip } of VARIANTS) {
    for (const shared of [false, true]) {
      test(`${variant}${shared ? ", shared" : ""}: loads, computes, both ways`, { skip }, async () => {
        for (const runtime of [await init({ variant, shared }), initSync({ variant, shared })]) {
          assert.equal(runtime.variant, variant);
          assert.equal(runtime.shared, shared);
          assert.equal(runtime.memory.buffer instanceof SharedArrayBuffer, shared);
          assert.deepEqual(relu(runtime.tensor([-1, 2])).toArray(), Float32Array.of(0, 2));
        }
      });
    }
  }

  test("auto takes what capabilities recommends, and says why", async () => {
    const { recommended, reason, simd, relaxedSimd, fusesMultiplyAdd, threads } = capabilities();
    const runtime = await init();
    assert.deepEqual([runtime.variant, runtime.reason], [recommended, reason]);
    assert.match(reason, fusesMultiplyAdd ? /fuses/ : /has no relaxed SIMD|does not fuse/);
    assert.equal(initSync({ variant: "strict" }).reason, 'variant "strict" was asked for');
    assert.equal(recommended, fusesMultiplyAdd ? "relaxed" : "strict");
    assert.ok(simd && threads);
    assert.ok(relaxedSimd || !fusesMultiplyAdd);
  });

  test("takes a compiled module or bytes, whose variant is in them", async () => {
    const bytes = readFileSync("build/wasm/strict.wasm");
    const sources: InitOptions[] = [
      { bytes },
      { bytes: Uint8Array.from(bytes).buffer },
      { module: new WebAssembly.Module(bytes) },
      { bytes, shared: true },
    ];
    for (const options of sources) {
      const runtime = await init(options);
      assert.deepEqual(relu(runtime.tensor([-3, 4])).toArray(), Float32Array.of(0, 4));
      assert.deepEqual([runtime.variant, runtime.reason], ["strict", "it is the variant of the binary given"]);
      assert.equal(initSync({ variant: "strict", ...options }).variant, "strict");
    }
  });

  test("a runtime's module makes another, in a worker or here", () => {
    const { module, variant } = initSync({ shared: true });
    assert.equal(initSync({ module, shared: true }).variant, variant);
  });

  test("url is fetched, only of the variant that is taken", async () => {
    const asked: string[] = [];
    const server = createServer(({ url = "" }, response) => {
      asked.push(url);
      const found = /^\/(strict|relaxed)\.wasm$/.exec(url);
      if (found) response.end(readFileSync(`build/wasm${url}`));
      else response.writeHead(url === "/page" ? 200 : 404).end("<!doctype html>");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    try {
      const url = { strict: `${base}/strict.wasm`, relaxed: new URL(`${base}/relaxed.wasm`) };
      const { recommended } = capabilities();
      assert.equal((await init({ url })).variant, recommended);
      assert.deepEqual(asked, [`/${String(recommended)}.wasm`]);
      assert.equal((await init({ url, variant: "strict", shared: true })).variant, "strict");
      assert.equal((await init({ url: url.strict })).variant, "strict");
      assert.equal((await init({ url: pathToFileURL("build/wasm/strict.wasm") })).variant, "strict");
      const only = await init({ url: { strict: url.strict } });
      if (recommended === "relaxed") assert.equal(only.reason, "only the strict binary was offered");
      await assert.rejects(init({ url: { strict: url.strict }, variant: "relaxed" }), {
        code: capabilities().relaxedSimd ? "ERR_ARGUMENT" : "ERR_UNSUPPORTED_ENGINE",
      });
      const missing = `${base}/missing.wasm`;
      const where = "url must be where simdgrad's .wasm files are served.";
      await assert.rejects(init({ url: missing }), {
        code: "ERR_LOAD",
        address: missing,
        message: `init: ${missing} did not load (HTTP 404); ${where}`,
      });
      await assert.rejects(init({ url: `${base}/page` }), {
        code: "ERR_ARGUMENT",
        message:
          /^init: the binary at http.*\/page is no simdgrad binary for this memory \(.*\); pass one of this version\.$/,
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
    await assert.rejects(init({ url: `${base}/strict.wasm` }), { code: "ERR_LOAD" });
    await assert.rejects(init({ url: "file:///nowhere.wasm" }), { code: "ERR_LOAD" });
    throws(
      () => initSync({ url: "strict.wasm" }),
      "ERR_ARGUMENT",
      "initSync: url needs time; take init, or pass bytes or module.",
    );
  });

  test("gives up a server that never answers, or stops in the middle", async () => {
    const server = createServer(({ url }, response) => {
      if (url === "/stops.wasm") response.writeHead(200, { "Content-Length": 100 }).write("some");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { setTimeout } = globalThis;
    const sooner = (callback: (...values: unknown[]) => void, milliseconds: number, ...values: unknown[]) =>
      setTimeout(callback, milliseconds / 300, ...values);
    for (const name of ["silent", "stops"]) {
      const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${name}.wasm`;
      await withGlobal(globalThis, "setTimeout", sooner, () =>
        assert.rejects(init({ url }), { code: "ERR_LOAD", message: /\(no answer in 30 s\)/ }),
      );
    }
    server.closeAllConnections();
    server.close();
  });

  test("works in a memory that is given, and leaves what is there", async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 40 });
    new Uint8Array(memory.buffer).fill(7);
    const runtimes = [await init({ variant: "strict", memory }), initSync({ variant: "strict", memory })];
    const tensors = runtimes.map((runtime) => runtime.tensor(new Float32Array(30000).fill(-1)));
    for (const tensor of tensors)
      assert.ok(
        relu(tensor)
          .toArray()
          .every((value) => value === 0),
      );
    assert.ok(tensors.every((tensor) => tensor.toArray().every((value) => value === -1)));
    assert.ok(new Uint8Array(memory.buffer, 0, PAGE).every((byte) => byte === 7));
    assert.throws(() => runtimes[0]?.zeros([40 * PAGE]), { code: "ERR_OUT_OF_MEMORY" });

    const empty = initSync({ memory: new WebAssembly.Memory({ initial: 0 }), maximumMemory: 3 * PAGE });
    assert.equal(empty.allocate(PAGE) % 64, 0);
    assert.throws(() => empty.allocate(2 * PAGE), { code: "ERR_OUT_OF_MEMORY" });
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 40, shared: true });
    assert.ok(initSync({ memory: shared }).shared);
  });

  const bad: [InitOptions, string][] = [
    [wrong(null), "options is null; it must be an object."],
    [wrong("strict"), 'options is "strict"; it must be an object.'],
    [{ variant: wrong("fast") }, 'variant is "fast"; it must be "strict" or "relaxed" or "auto".'],
    [{ shared: wrong(1) }, "shared is 1; it must be true or false."],
    [{ maximumMemory: NaN }, "maximumMemory is NaN; it must be an integer from 65536 to 4294967296."],
    [{ maximumMemory: 65535 }, "maximumMemory is 65535; it must be an integer from 65536 to 4294967296."],
    [{ maximumMemory: 2 ** 33 }, "maximumMemory is 8589934592; it must be an integer from 65536 to 4294967296."],
    [{ module: wrong(new Uint8Array(8)) }, "module is a Uint8Array of 8; it must be a WebAssembly.Module."],
    [{ bytes: wrong("x.wasm") }, 'bytes is "x.wasm"; it must be an ArrayBuffer or a view of one.'],
    [{ url: wrong(null) }, "url is null; it must be a string, a URL, or one of them for each variant."],
    [{ url: "x.wasm", bytes: new Uint8Array(8) }, "bytes and url are given; pass one of them."],
    [{ memory: wrong(64) }, "memory is 64; it must be a WebAssembly.Memory."],
    [
      { memory: new WebAssembly.Memory({ initial: 1 }), shared: true },
      "shared is true but memory is not shared; leave shared out.",
    ],
  ];
  for (const [options, message] of bad) {
    test(`refuses: ${message}`, async () => {
      throws(() => initSync(options), "ERR_ARGUMENT", `initSync: ${message}`);
      await assert.rejects(init(options), { code: "ERR_ARGUMENT", message: `init: ${message}` });
    });
  }

  test("refuses a binary that is none of ours, or of another version", async () => {
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const advice = "pass one of this version.";
    const message = `bytes is no simdgrad binary for this memory (it has no stamp of simdgrad); ${advice}`;
    throws(() => initSync({ bytes: empty }), "ERR_ARGUMENT", `initSync: ${message}`);
    await assert.rejects(init({ bytes: empty }), { code: "ERR_ARGUMENT", message: `init: ${message}` });
    const module = new WebAssembly.Module(readFileSync("build/wasm/strict.wasm"));
    assert.throws(() => initSync({ module, shared: true }), {
      code: "ERR_ARGUMENT",
      message: /^initSync: module is no simdgrad binary for this memory \(.*shared.*\); pass one of this version\.$/,
    });
    await assert.rejects(init({ bytes: Uint8Array.of(1, 2) }), { code: "ERR_ARGUMENT" });

    const stamp = [...Buffer.from("\x08simdgradstrict 0123456789abcdef")];
    const older = Uint8Array.of(...empty, 0, stamp.length, ...stamp);
    await assert.rejects(init({ bytes: older }), {
      code: "ERR_ARGUMENT",
      message: /\(its interface is 0123456789abcdef, that of this version of simdgrad is [0-9a-f]{16}\)/,
    });
  });

  test("refuses a binary of the other variant", async () => {
    const strict = readFileSync("build/wasm/strict.wasm");
    if (capabilities().relaxedSimd) {
      const message = 'variant is "relaxed" but bytes is strict; pass the relaxed binary or name it strict.';
      throws(() => initSync({ bytes: strict, variant: "relaxed" }), "ERR_ARGUMENT", `initSync: ${message}`);
      const bytes = readFileSync("build/wasm/relaxed.wasm");
      await assert.rejects(init({ bytes, variant: "strict" }), { code: "ERR_ARGUMENT" });
    }
    const runtime = initSync({ variant: "strict", bytes: strict, maximumMemory: PAGE });
    assert.equal(runtime.statistics.bytesInUse, 0);
  });

  test("takes bytes and modules of another realm", async () => {
    const bytes = new Uint8Array(readFileSync("build/wasm/strict.wasm"));
    const [buffer, module] = runInNewContext(
      "const view = Uint8Array.from(bytes); [view.buffer, new WebAssembly.Module(view)]",
      { bytes },
    ) as [ArrayBuffer, WebAssembly.Module];
    assert.ok(!(buffer instanceof ArrayBuffer) && !(module instanceof WebAssembly.Module));
    for (const given of [{ bytes: buffer }, { module }]) {
      assert.equal(initSync(given).variant, "strict");
      assert.equal((await init(given)).variant, "strict");
    }
  });

  const engines: [string, object, string, unknown, InitOptions, string, string][] = [
    [
      "without WebAssembly",
      globalThis,
      "WebAssembly",
      undefined,
      {},
      "WebAssembly",
      "this engine lacks WebAssembly; take one from 2023 or later (Node 20, Chrome 91, Safari 16.4).",
    ],
    [
      "without WebAssembly, given bytes",
      globalThis,
      "WebAssembly",
      undefined,
      { variant: "strict", bytes: new Uint8Array(8) },
      "WebAssembly",
      "this engine lacks WebAssembly; take one from 2023 or later (Node 20, Chrome 91, Safari 16.4).",
    ],
    [
      "without SIMD",
      WebAssembly,
      "validate",
      () => false,
      {},
      "WebAssembly SIMD",
      "this engine lacks WebAssembly SIMD; take one from 2023 or later (Node 20, Chrome 91, Safari 16.4).",
    ],
    [
      "without relaxed SIMD",
      WebAssembly,
      "validate",
      (bytes: Uint8Array) => !bytes.join().includes("253,133,2"),
      { variant: "relaxed" },
      "relaxed SIMD",
      'this engine lacks relaxed SIMD; take variant "strict" or "auto".',
    ],
    [
      "without shared memory",
      globalThis,
      "SharedArrayBuffer",
      undefined,
      { shared: true },
      "shared memory",
      "this engine lacks shared memory; a page must be cross-origin isolated (COOP and COEP headers), or leave shared out.",
    ],
  ];
  for (const [name, target, key, value, options, missing, message] of engines) {
    test(`says what is missing on an engine ${name}`, async () => {
      await withGlobal(target, key, value, async () => {
        await assert.rejects(init(options), (error: UnsupportedEngineError) => {
          assert.ok(error instanceof UnsupportedEngineError);
          assert.equal(error.code, "ERR_UNSUPPORTED_ENGINE");
          assert.equal(error.missing, missing);
          assert.equal(error.message, `init: ${message}`);
          return true;
        });
        throws(() => initSync(options), "ERR_UNSUPPORTED_ENGINE", `initSync: ${message}`);
      });
    });
  }

  test("auto falls back to strict without relaxed SIMD", async () => {
    const validate = (bytes: Uint8Array) => !bytes.join().includes("253,133,2");
    const runtime = await withGlobal(WebAssembly, "validate", validate, () => init());
    assert.equal(runtime.variant, "strict");
  });

  test("says so when a content security policy forbids compiling", async () => {
    const refuse = () => {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    };
    const rejected = () => Promise.resolve().then(refuse);
    await withGlobal(WebAssembly, "compile", rejected, async () => {
      await assert.rejects(init({ bytes: readFileSync("build/wasm/strict.wasm") }), {
        code: "ERR_UNSUPPORTED_ENGINE",
        message:
          "init: this engine lacks leave to compile WebAssembly (Wasm code generation disallowed by embedder); " +
          "a content security policy must allow 'wasm-unsafe-eval'.",
      });
    });
  });

  test("a memory that the engine refuses is out of memory", async () => {
    const { Memory } = WebAssembly;
    const refuse = function (descriptor: WebAssembly.MemoryDescriptor) {
      if (descriptor.initial > 1) throw new RangeError("could not allocate memory");
      return new Memory(descriptor);
    };
    await withGlobal(WebAssembly, "Memory", refuse, () => {
      throws(
        () => initSync({ maximumMemory: 2 ** 20 }),
        "ERR_OUT_OF_MEMORY",
        "initSync: 1048576 bytes requested while 0 are in use; the limit is 1048576 bytes (init's maximumMemory) or what the engine grants.",
      );
    });
  });
});

describe("memory", () => {
  test("allocations are 64-byte aligned, never overlap, and are reused after free", () => {
    const runtime = initSync({ variant: "strict", maximumMemory: 64 * PAGE });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 1, max: 40000 }), fc.record({ free: fc.nat(60) })), { maxLength: 60 }),
        (steps) => {
          const live = new Map<number, number>();
          for (const step of steps) {
            if (typeof step === "number") {
              const pointer = runtime.allocate(step);
              assert.equal(pointer % 64, 0);
              assert.ok(pointer >= 64 && pointer + step <= runtime.memory.buffer.byteLength);
              for (const [other, bytes] of live) assert.ok(pointer + step <= other || other + bytes <= pointer);
              live.set(pointer, step);
            } else {
              const pointer = [...live.keys()][step.free];
              if (pointer === undefined) continue;
              runtime.free(pointer);
              live.delete(pointer);
            }
          }
          const expected = [...live.values()].reduce((sum, bytes) => sum + Math.ceil(bytes / 64) * 64, 0);
          assert.equal(runtime.statistics.bytesInUse, expected);
          for (const pointer of live.keys()) runtime.free(pointer);
          assert.equal(runtime.statistics.bytesInUse, 0);
        },
      ),
    );
    // All neighbours merged: everything fits in one piece again.
    const { memoryBytes } = runtime.statistics;
    runtime.allocate(memoryBytes - 64);
    assert.equal(runtime.statistics.memoryBytes, memoryBytes);
  });

  for (const shared of [false, true]) {
    test(`growth keeps contents and refreshes views${shared ? ", shared" : ""}`, () => {
      const runtime = initSync({ variant: "strict", shared, maximumMemory: 2 ** 26 });
      const small = runtime.tensor([1, 2, 3]);
      const before = runtime.statistics.memoryBytes;
      const large = runtime.zeros([2 ** 20]);
      assert.ok(before < 2 ** 22 && runtime.statistics.memoryBytes > 2 ** 22);
      assert.equal(runtime.heapF32.length * 4, runtime.memory.buffer.byteLength);
      assert.equal(runtime.heapI32.buffer, runtime.memory.buffer);
      assert.deepEqual(small.toArray(), Float32Array.of(1, 2, 3));
      assert.ok(large.toArray().every((value) => value === 0));
      // Geometric: many small requests grow the memory only a few times.
      let sizes = new Set<number>();
      for (let i = 0; i < 1000; i++) {
        runtime.zeros([2048]);
        sizes = sizes.add(runtime.statistics.memoryBytes);
      }
      assert.ok(sizes.size < 8, `${String(sizes.size)} sizes`);
    });
  }

  test("survives pages that someone else adds", () => {
    const runtime = initSync({ variant: "strict" });
    const tensor = runtime.tensor([5]);
    const foreign = runtime.memory.grow(3) * PAGE;
    assert.deepEqual(tensor.toArray(), Float32Array.of(5));
    const large = runtime.zeros([2 ** 20]);
    assert.ok(large.pointer >= foreign + 3 * PAGE || large.pointer + large.byteLength <= foreign);
  });

  test("someone else may add pages just before and just after it grows", () => {
    for (const shared of [false, true]) {
      const runtime = initSync({ variant: "strict", shared, maximumMemory: 2 ** 24 });
      const { memory } = runtime;
      const grow = memory.grow.bind(memory);
      const foreign: number[] = [];
      memory.grow = (pages: number) => {
        foreign.push(grow(1) * PAGE);
        const before = grow(pages);
        foreign.push(grow(1) * PAGE);
        return before;
      };
      for (const pages of [17, 3, 20, 5]) {
        const pointer = runtime.allocate(pages * PAGE);
        const end = pointer + pages * PAGE;
        assert.ok(end <= memory.buffer.byteLength);
        for (const page of foreign) assert.ok(end <= page || page + PAGE <= pointer, `${String(pages)} pages`);
      }
    }
  });

  test("the last byte below the limit can be allocated, one more is out of memory", () => {
    const runtime = initSync({ variant: "strict", maximumMemory: 40 * PAGE + 100 });
    assert.equal(runtime.statistics.limit, 40 * PAGE);
    const kept = runtime.tensor([1, 2, 3]);
    const rest = 40 * PAGE - 64 - 64;
    assert.throws(
      () => runtime.allocate(rest + 1),
      (error: OutOfMemoryError) => {
        assert.ok(error instanceof OutOfMemoryError);
        assert.deepEqual([error.requested, error.inUse, error.limit], [rest + 64, 64, 40 * PAGE]);
        assert.equal(
          error.message,
          `Runtime.allocate: ${String(rest + 64)} bytes requested while 64 are in use; ` +
            `the limit is ${String(40 * PAGE)} bytes (init's maximumMemory) or what the engine grants.`,
        );
        return true;
      },
    );
    assert.equal(runtime.statistics.bytesInUse, 64);
    assert.equal(runtime.allocate(rest) + rest, runtime.memory.buffer.byteLength);
    assert.throws(() => runtime.allocate(1), { code: "ERR_OUT_OF_MEMORY" });
    assert.deepEqual(kept.toArray(), Float32Array.of(1, 2, 3));
  });

  test("what the engine will not grow by half may still grow by what it takes", () => {
    const runtime = initSync({ variant: "strict" });
    const { memory } = runtime;
    const grow = memory.grow.bind(memory);
    const asked: number[] = [];
    memory.grow = (pages: number) => {
      asked.push(pages);
      if (pages > 1) throw new RangeError("failed to grow memory");
      return grow(pages);
    };
    runtime.allocate(16 * PAGE);
    assert.deepEqual(asked, [8, 1]);
    assert.throws(() => runtime.allocate(2 * PAGE), { code: "ERR_OUT_OF_MEMORY" });
  });

  test("refuses wrong sizes and pointers", () => {
    const runtime = initSync({ variant: "strict" });
    const integers = "it must be an integer from 1 to 9007199254740991.";
    for (const bytes of [0, -1, 1.5, NaN, wrong("8")]) {
      const shown = typeof bytes === "string" ? `"${String(bytes)}"` : String(bytes);
      throws(() => runtime.allocate(bytes), "ERR_ARGUMENT", `Runtime.allocate: bytes is ${shown}; ${integers}`);
    }
    const pointer = runtime.allocate(8);
    runtime.free(pointer);
    throws(
      () => {
        runtime.free(pointer);
      },
      "ERR_ARGUMENT",
      `Runtime.free: pointer is ${String(pointer)}; it must be the address of a live allocation.`,
    );
  });
});

describe("scope", () => {
  const runtime = initSync({ variant: "strict" });
  const inUse = () => runtime.statistics.bytesInUse;

  test("disposes temporaries and keeps what is returned, also nested", () => {
    const before = inUse();
    let temporary: Tensor | undefined;
    const kept = runtime.scope(() => {
      temporary = runtime.zeros([4]);
      return { one: relu(temporary), many: [runtime.zeros([2]), "text", null], deep: { x: [runtime.zeros([1])] } };
    });
    assert.ok(temporary?.disposed);
    assert.ok(!kept.one.disposed && !(kept.many[0] as Tensor).disposed && !kept.deep.x[0]?.disposed);
    assert.equal(inUse(), before + 3 * 64);
    for (const tensor of [kept.one, kept.many[0] as Tensor, kept.deep.x[0] as Tensor]) tensor.dispose();
    assert.equal(inUse(), before);
  });

  test("what an inner scope returns belongs to the outer one", () => {
    const before = inUse();
    const outer = runtime.zeros([1]);
    const sum = runtime.scope(() => {
      const inner = runtime.scope(() => runtime.tensor([1, 2]));
      assert.ok(!inner.disposed);
      return inner.toArray()[1];
    });
    assert.equal(sum, 2);
    assert.ok(!outer.disposed);
    outer.dispose();
    assert.equal(inUse(), before);
  });

  test("disposes all when work throws, and refuses promises", () => {
    const before = inUse();
    assert.throws(
      () =>
        runtime.scope(() => {
          runtime.zeros([100]);
          throw new TypeError("mine");
        }),
      { name: "TypeError", message: "mine" },
    );
    throws(
      () => runtime.scope(() => Promise.resolve(runtime.zeros([100]))),
      "ERR_ARGUMENT",
      "Runtime.scope: work returned a promise; it must be synchronous.",
    );
    throws(() => runtime.scope(wrong(3)), "ERR_ARGUMENT", "Runtime.scope: work is 3; it must be a function.");
    assert.equal(inUse(), before);
    runtime.zeros([1]).dispose(); // the scope around is current again
  });
});

test("a disposed runtime refuses everything with DisposedError", () => {
  const runtime = initSync({ variant: "strict" });
  const tensor = runtime.tensor([1]);
  runtime.dispose();
  runtime.dispose();
  assert.ok(runtime.disposed && tensor.disposed);
  const calls: [string, (runtime: Runtime) => unknown][] = [
    ["Runtime.tensor", (r) => r.tensor([1])],
    ["Runtime.zeros", (r) => r.zeros([1])],
    ["Runtime.allocate", (r) => r.allocate(4)],
    [
      "Runtime.free",
      (r) => {
        r.free(64);
      },
    ],
    ["Runtime.scope", (r) => r.scope(() => 1)],
    ["relu", () => relu(tensor)],
    ["Tensor.toArray", () => tensor.toArray()],
    ["Tensor.pointer", () => tensor.pointer],
  ];
  for (const [operation, call] of calls) {
    throws(() => call(runtime), "ERR_DISPOSED", `${operation}: the runtime is disposed; init() makes a new one.`);
  }
  tensor.dispose();
});

test("every error has a name, a code and a stack", () => {
  assert.throws(
    () => initSync({ maximumMemory: -1 }),
    (error: SimdgradError) => error instanceof Error && error.name === "ArgumentError" && error.stack !== undefined,
  );
});
