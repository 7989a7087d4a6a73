/** Reads WebAssembly binaries: the sections, imports, exports and instructions that the contract of the kernels is about. */

export interface MemoryLimits {
  initial: number;
  maximum: number | undefined;
  shared: boolean;
}

export interface Binary {
  /** Names of the sections that are there, in order. */
  sections: string[];
  /** The contents of the custom sections, each a name behind its length and what it holds. */
  customs: Uint8Array[];
  /** "module.name kind" of each import. */
  imports: string[];
  /** Limits of the imported memory, if there is one. */
  memory: MemoryLimits | undefined;
  /** Names of the exported functions, and of all else that is exported. */
  functions: string[];
  otherExports: string[];
  /** How often each operation occurs in functions: the opcode, or prefix × 0x10000 + sub-opcode. */
  operations: Map<number, number>;
  /** The operations of each function, in order. */
  bodies: number[][];
}

const SECTIONS = "custom type import function table memory global export start element code data datacount".split(" ");
const KINDS = ["function", "table", "memory", "global"];

/** Whether an operation is one of relaxed SIMD, whose sub-opcodes start at 0x100 under the SIMD prefix. */
export const isRelaxed = (operation: number): boolean => operation >= 0xfd0100 && operation <= 0xfdffff;

/** Whether an operation is one of SIMD, relaxed or not. */
export const isSimd = (operation: number): boolean => operation >= 0xfd0000 && operation <= 0xfdffff;

/** A position in the bytes of a binary. */
class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined)
      throw new RangeError(`The binary ends at ${this.bytes.length}, in the middle of something.`);
    return value;
  }

  /** An unsigned LEB128 number; of a signed one only the length is right. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const length = this.number();
    return new TextDecoder().decode(this.bytes.subarray(this.at, (this.at += length)));
  }

  limits(): MemoryLimits {
    const flags = this.byte();
    const initial = this.number();
    return { initial, maximum: flags & 1 ? this.number() : undefined, shared: (flags & 2) !== 0 };
  }
}

/** Steps over `count` numbers. */
function skipNumbers(reader: Reader, count: number): void {
  for (let i = 0; i < count; i++) reader.number();
}

/** Steps over a memory argument: alignment and offset. */
const skipMemoryArgument = (reader: Reader): void => skipNumbers(reader, 2);

/** Reads one instruction with its immediates and returns its operation. */
function readInstruction(reader: Reader): number {
  const opcode = reader.byte();
  if (opcode >= 0xfc && opcode <= 0xfe) {
    const sub = reader.number();
    if (opcode === 0xfc) skipBulkImmediates(reader, sub);
    if (opcode === 0xfd) skipSimdImmediates(reader, sub);
    if (opcode === 0xfe) skipNumbers(reader, sub === 3 ? 1 : 2); // a fence has a byte, the rest a memory argument
    return opcode * 0x10000 + sub;
  }
  if (opcode >= 0x28 && opcode <= 0x3e) skipMemoryArgument(reader);
  else if (opcode === 0x0e) skipNumbers(reader, reader.number() + 1);
  else if (opcode === 0x1c) skipNumbers(reader, reader.number());
  else if (opcode === 0x11) skipNumbers(reader, 2);
  else if (opcode === 0x43) reader.at += 4;
  else if (opcode === 0x44) reader.at += 8;
  else if (opcode >= 0x20 && opcode <= 0x26) reader.number();
  else if ([0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x3f, 0x40, 0x41, 0x42].includes(opcode)) reader.number();
  else if (opcode > 0xc4) throw new Error(`Opcode 0x${opcode.toString(16)} at ${reader.at - 1} is not known here.`);
  return opcode;
}

/** Saturating conversions have no immediates; the operations on memories, tables and segments have one or two. */
function skipBulkImmediates(reader: Reader, sub: number): void {
  if (sub >= 8) skipNumbers(reader, [8, 10, 12, 14].includes(sub) ? 2 : 1);
}

/** Loads and stores have a memory argument, constants and shuffles 16 bytes, lane operations a lane. */
function skipSimdImmediates(reader: Reader, sub: number): void {
  const ofLane = sub >= 84 && sub <= 91;
  if (sub < 12 || sub === 92 || sub === 93 || ofLane) skipMemoryArgument(reader);
  if (sub === 12 || sub === 13) reader.at += 16;
  if ((sub >= 21 && sub <= 34) || ofLane) reader.at += 1;
}

/** Reads a function body of `size` bytes. */
function readBody(reader: Reader, size: number): number[] {
  const operations: number[] = [];
  const end = reader.at + size;
  for (let groups = reader.number(); groups > 0; groups--) {
    reader.number();
    reader.byte();
  }
  while (reader.at < end) operations.push(readInstruction(reader));
  if (reader.at !== end) throw new Error(`An instruction runs over the end of its function at ${end}.`);
  return operations;
}

/** Reads what a binary consists of. */
export function readBinary(bytes: Uint8Array): Binary {
  const operations = new Map<number, number>();
  const none = {
    sections: [],
    customs: [],
    imports: [],
    memory: undefined,
    functions: [],
    otherExports: [],
    bodies: [],
  };
  const binary: Binary = { ...none, operations };
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const section = SECTIONS[reader.byte()] ?? "unknown";
    const end = reader.number() + reader.at;
    binary.sections.push(section);
    if (section === "custom") binary.customs.push(bytes.subarray(reader.at, end));
    if (section === "import") readImports(reader, binary);
    if (section === "export") readExports(reader, binary);
    if (section === "code") {
      for (let count = reader.number(); count > 0; count--) binary.bodies.push(readBody(reader, reader.number()));
    }
    reader.at = end;
  }
  for (const operation of binary.bodies.flat()) operations.set(operation, (operations.get(operation) ?? 0) + 1);
  return binary;
}

function readImports(reader: Reader, binary: Binary): void {
  for (let count = reader.number(); count > 0; count--) {
    const name = `${reader.text()}.${reader.text()}`;
    const kind = KINDS[reader.byte()] ?? "unknown";
    binary.imports.push(`${name} ${kind}`);
    if (kind === "memory") binary.memory = reader.limits();
    else if (kind === "function") reader.number();
    else skipNumbers(reader, kind === "table" ? 3 : 2);
  }
}

function readExports(reader: Reader, binary: Binary): void {
  for (let count = reader.number(); count > 0; count--) {
    const name = reader.text();
    const kind = KINDS[reader.byte()] ?? "unknown";
    reader.number();
    if (kind === "function") binary.functions.push(name);
    else binary.otherExports.push(`${name} ${kind}`);
  }
}
