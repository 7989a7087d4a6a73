import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { ABI } from "#binaries/kernels";
import { binary as relaxed } from "#binaries/relaxed";
import { binary as strict } from "#binaries/strict";
import { decode, forSharedMemory } from "../src/runtime/binary.js";
import { isRelaxed, isSimd, readBinary } from "./support/binary.js";

/** The variants with what sets each apart. */
const VARIANTS = [
  { name: "strict", binary: decode(strict), shared: false, relaxed: false },
  { name: "relaxed", binary: decode(relaxed), shared: false, relaxed: true },
  { name: "strictShared", binary: forSharedMemory(decode(strict)), shared: true, relaxed: false },
  { name: "relaxedShared", binary: forSharedMemory(decode(relaxed)), shared: true, relaxed: true },
] as const;

/** The names that assembly/index.ts exports: the whole ABI. */
const KERNELS = [...readFileSync("assembly/index.ts", "utf8").matchAll(/^export \{([^}]*)\}/gm)]
  .flatMap(([, names = ""]) => names.split(","))
  .map((name) => name.trim())
  .filter((name) => name !== "")
  .sort();

/** What of the kernel contract a binary breaks, one sentence each. */
function violations(bytes: Uint8Array, variant: { shared: boolean; relaxed: boolean }, kernels: string[]): string[] {
  const binary = readBinary(bytes);
  const found: string[] = [];
  const demand = (holds: boolean, otherwise: string): void => void (holds || found.push(otherwise));

  // Beside the stamp, which does not run: a start function, a table, a global or a data segment would be state that a host's memory and modules share.
  for (const section of binary.sections) {
    demand(
      ["type", "import", "function", "export", "code", "custom"].includes(section),
      `It has a ${section} section.`,
    );
  }
  demand(binary.imports.join() === "env.memory memory", `It imports ${binary.imports.join(", ") || "nothing"}.`);
  demand(binary.memory?.shared === variant.shared, `Its memory is ${variant.shared ? "not " : ""}shared.`);
  const maximum = variant.shared ? 65536 : undefined;
  demand(binary.memory?.maximum === maximum, `Its memory ends at ${binary.memory?.maximum} pages, not ${maximum}.`);
  demand(
    binary.otherExports.join() === "memory memory",
    `Beside functions it exports ${binary.otherExports.join(", ")}.`,
  );
  for (const name of kernels) demand(binary.functions.includes(name), `It lacks ${name}.`);
  for (const name of binary.functions) demand(kernels.includes(name), `It exports ${name}, which is no kernel.`);

  const operations = [...binary.operations.keys()];
  demand(operations.some(isSimd), "It has no SIMD instruction.");
  const relaxed = operations.filter(isRelaxed).map((operation) => `0x${operation.toString(16)}`);
  demand(variant.relaxed === relaxed.length > 0, `Its relaxed instructions: ${relaxed.join(", ") || "none"}.`);
  demand(!operations.includes(0x40), "It grows its memory.");
  demand(
    !operations.some((operation) => operation === 0xfc000a || operation === 0xfc000b),
    "It copies or fills by memory.copy or memory.fill, which WebKit refuses to do up to the last byte of 4 GiB.",
  );
  return found;
}

describe("each binary keeps the kernel contract", () => {
  for (const variant of VARIANTS) {
    test(variant.name, () => assert.deepEqual(violations(variant.binary, variant, KERNELS), []));
  }

  test("strict needs no relaxed SIMD and no threads", () => {
    assert.ok(WebAssembly.validate(decode(strict)));
  });

  test("strict attaches to any memory", () => {
    const memory = new WebAssembly.Memory({ initial: 3, maximum: 5 });
    const module = new WebAssembly.Module(decode(strict));
    assert.equal(new WebAssembly.Instance(module, { env: { memory } }).exports["memory"], memory);
  });

  test("strictShared attaches to a shared memory", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 8, shared: true });
    const module = new WebAssembly.Module(forSharedMemory(decode(strict)));
    assert.equal(new WebAssembly.Instance(module, { env: { memory } }).exports["memory"], memory);
  });

  test("each carries the stamp that init reads", () => {
    for (const [variant, binary] of Object.entries({ strict, relaxed })) {
      const [stamp] = customSections(decode(binary));
      assert.equal(stamp, `simdgrad${variant} ${ABI}`);
    }
  });
});

describe("the register tile keeps the order in which it is written", () => {
  const MULTIPLY = 0xfd00e6;
  const ADD = 0xfd00e4;

  test("strict: two products before their two sums, in five rows of sixteen steps", () => {
    const letters = new Map([
      [MULTIPLY, "×"],
      [ADD, "+"],
    ]);
    const bodies = readBinary(decode(strict)).bodies.map((body) => body.map((it) => letters.get(it) ?? "").join(""));
    // The tall, wide tile, once for an A in place and once for a packed one.
    assert.equal(bodies.filter((body) => body.includes("××++".repeat(5 * 16))).length, 2);
  });
});

/** The contents of the custom sections. */
function customSections(bytes: Uint8Array): string[] {
  return readBinary(bytes).customs.map((content) => Buffer.from(content.subarray(1)).toString());
}

describe("a binary for shared memory is what the compiler makes of the same source", () => {
  for (const [variant, binary] of Object.entries({ strict, relaxed })) {
    test(variant, () => {
      execFileSync(process.execPath, ["scripts/build.mjs", "--target", `${variant}Shared`]);
      const compiled = readFileSync(`build/wasm/${variant}Shared.wasm`);
      assert.equal(Buffer.compare(forSharedMemory(decode(binary)), compiled), 0);
      assert.deepEqual(forSharedMemory(new Uint8Array(compiled)), new Uint8Array(compiled));
    });
  }

  test("of what is no binary of ours it changes nothing", () => {
    for (const bytes of [[], [1, 2, 3], [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0]]) {
      assert.deepEqual(forSharedMemory(Uint8Array.from(bytes)), Uint8Array.from(bytes));
    }
  });
});

/** A section of a binary: its id, its length, its content. */
const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
const text = (value: string): number[] => [value.length, ...Buffer.from(value)];

/** A small module that keeps the contract with one kernel `f`; `parts` replaces or adds sections by their id. */
function moduleWith(parts: Record<number, number[]> = {}): Uint8Array {
  const sections: Record<number, number[]> = {
    1: section(1, 1, 0x60, 0, 0),
    2: section(2, 1, ...text("env"), ...text("memory"), 2, 0, 1),
    3: section(3, 1, 0),
    7: section(7, 2, ...text("memory"), 2, 0, ...text("f"), 0, 0),
    10: code(),
    ...parts,
  };
  const order = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
  return new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...order.flatMap((id) => sections[id] ?? [])]);
}

/** A code section with one function: f32x4.splat(0), `instructions`, drop. */
function code(...instructions: number[]): number[] {
  const body = [0, 0x43, 0, 0, 0, 0, 0xfd, 0x13, ...instructions, 0x1a, 0x0b];
  return section(10, 1, body.length, ...body);
}

describe("the contract test notices", () => {
  const plain = { shared: false, relaxed: false };
  const zero = [0x43, 0, 0, 0, 0, 0xfd, 0x13];
  const relaxedMadd = code(...zero, ...zero, 0xfd, 0x85, 0x02);
  const cases: [what: string, binary: Uint8Array, complaint: RegExp, variant?: typeof plain][] = [
    ["a data segment", moduleWith({ 11: section(11, 1, 0, 0x41, 0, 0x0b, 1, 7) }), /a data section/],
    ["a data count", moduleWith({ 12: section(12, 0) }), /a datacount section/],
    ["a mutable global", moduleWith({ 6: section(6, 1, 0x7f, 1, 0x41, 0, 0x0b) }), /a global section/],
    ["a start function", moduleWith({ 8: section(8, 0) }), /a start section/],
    [
      "a function import",
      moduleWith({ 2: section(2, 1, ...text("env"), ...text("abort"), 0, 0) }),
      /imports env.abort/,
    ],
    ["its own memory", moduleWith({ 2: section(2, 0), 5: section(5, 1, 0, 1) }), /imports nothing/],
    ["a missing kernel", moduleWith({ 7: section(7, 1, ...text("memory"), 2, 0) }), /lacks f/],
    ["an extra export", moduleWith({ 7: section(7, 1, ...text("g"), 0, 0) }), /exports g, which is no kernel/],
    ["a memory that is not shared", moduleWith(), /memory is not shared/, { shared: true, relaxed: false }],
    ["a relaxed instruction in strict", moduleWith({ 10: relaxedMadd }), /relaxed instructions: 0xfd0105/],
    ["no relaxed instruction in relaxed", moduleWith(), /relaxed instructions: none/, { shared: false, relaxed: true }],
    ["memory.grow", moduleWith({ 10: code(0x41, 1, 0x40, 0, 0x1a) }), /grows its memory/],
    [
      "memory.fill",
      moduleWith({ 10: code(0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0) }),
      /by memory.copy or memory.fill/,
    ],
  ];

  test("nothing in a module that keeps it", () => {
    assert.ok(WebAssembly.validate(moduleWith() as BufferSource));
    assert.deepEqual(violations(moduleWith(), plain, ["f"]), []);
  });
  for (const [what, binary, complaint, variant = plain] of cases) {
    test(what, () => assert.match(violations(binary, variant, ["f"]).join("\n"), complaint));
  }
});
