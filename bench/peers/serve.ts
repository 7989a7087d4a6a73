/** The peers' side of the protocol, for those that run on JavaScript. */
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { engine } from "../machine.js";
import { INPUTS, OUTPUTS, parsePrepare, splitLine, type Task } from "./protocol.js";

/** A task made ready. */
export interface Prepared {
  /** One call, as it is timed; awaited if it returns a promise. It keeps no result. */
  readonly call: (...args: number[]) => unknown;
  /** What it is called with: a kernel that V8 sees called directly costs 1 ns instead of the 12 of a closure around many. */
  readonly args?: readonly number[];
  /** The results of one call, the same way. */
  readonly outputs: () => ArrayLike<number>[] | Promise<ArrayLike<number>[]>;
  readonly dispose?: () => void;
}

/** What times itself: the seconds of a call in this round. */
export interface SelfTimed {
  readonly seconds: () => number;
}

export interface Peer {
  readonly version: string;
  /** Undefined where the peer does not offer the task. */
  prepare(
    task: Task,
    inputs: Float32Array[],
  ): Prepared | SelfTimed | undefined | Promise<Prepared | SelfTimed | undefined>;
}

export type Operation = (sizes: readonly number[], inputs: readonly Float32Array[]) => Prepared | Promise<Prepared>;

/** The `prepare` of a peer from a table of its operations. */
export function operations(table: Readonly<Record<string, Operation>>): Peer["prepare"] {
  return ({ operation, sizes }, inputs) => table[operation]?.(sizes, inputs);
}

/** C = op(A)·op(B), m×n, with the shapes of A and B as they are stored. */
export interface Gemm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly shapeA: [rows: number, columns: number];
  readonly shapeB: [rows: number, columns: number];
}

/** The operations gemmNN, gemmNT and gemmTN from one function. */
export function gemms(prepare: (gemm: Gemm) => Prepared | Promise<Prepared>): Record<string, Operation> {
  const operation =
    (transposeA: boolean, transposeB: boolean): Operation =>
    ([m = 0, n = 0, k = 0], [a = new Float32Array(), b = new Float32Array()]) => {
      const shapeA: Gemm["shapeA"] = transposeA ? [k, m] : [m, k];
      const shapeB: Gemm["shapeB"] = transposeB ? [n, k] : [k, n];
      return prepare({ m, n, k, transposeA, transposeB, a, b, shapeA, shapeB });
    };
  return { gemmNN: operation(false, false), gemmNT: operation(false, true), gemmTN: operation(true, false) };
}

/** Seconds of warming up, in which V8 compiles what is called; a call longer than SLOW needs none. */
const WARM_UP = 0.2;
const SLOW = 0.5;

type Loop = (calls: number) => void | Promise<void>;

/** A loop for one task alone: in a shared one V8 would see many functions and call them through a generic path. */
function compileLoop({ call, args = [] }: Prepared, asynchronous: boolean): Loop {
  const [async, wait] = asynchronous ? ["async ", "await "] : ["", ""];
  const body = `return ${async}(calls) => { for (let i = 0; i < calls; ++i) ${wait}call(${args.join(", ")}); };`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- see above
  const compile = new Function("call", body) as (call: Prepared["call"]) => Loop;
  return compile(call);
}

/** Seconds of one of so many calls. */
async function time(loop: Loop, calls: number): Promise<number> {
  const begin = performance.now();
  const promise = loop(calls);
  if (promise !== undefined) await promise;
  return (performance.now() - begin) / 1e3 / calls;
}

/** Warms a loop up and returns the seconds of a call. */
async function warmUp(loop: Loop): Promise<number> {
  let seconds = await time(loop, 1);
  if (seconds > SLOW) return seconds;
  for (let spent = 0; spent < WARM_UP;) {
    const calls = Math.ceil(WARM_UP / 8 / Math.max(seconds, 1e-9));
    seconds = await time(loop, calls);
    spent += seconds * calls;
  }
  return seconds;
}

/** Answers the driver until its input ends. */
export async function serve(peer: Peer): Promise<void> {
  const folder = process.env["PEERS_DATA"] ?? ".";
  const say = (word: string, text: string) => writeSync(3, `${word} ${text.replace(/\s+/g, " ")}\n`);
  let prepared: Prepared | SelfTimed | undefined;
  let loop: Loop | undefined;

  const prepare = async (text: string) => {
    if (prepared && "dispose" in prepared) prepared.dispose?.();
    prepared = loop = undefined;
    global.gc?.();
    const { lengths, ...task } = parsePrepare(text);
    const bytes = readFileSync(path.join(folder, INPUTS));
    const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    let end = 0;
    const inputs = lengths.map((length) => all.slice(end, (end += length)));
    prepared = await peer.prepare(task, inputs);
    if (prepared === undefined) return say("skip", `does not offer ${task.operation}`);
    if ("seconds" in prepared) return say("ready", String(prepared.seconds()));
    const outputs = (await prepared.outputs()).flatMap((array) => Float32Array.from(array));
    writeFileSync(path.join(folder, OUTPUTS), Buffer.concat(outputs.map((array) => Buffer.from(array.buffer))));
    const first = prepared.call(...(prepared.args ?? []));
    loop = compileLoop(prepared, first instanceof Promise);
    await first;
    return say("ready", String(await warmUp(loop)));
  };

  const run = async (calls: number) => {
    if (prepared && "seconds" in prepared) return say("seconds", String(prepared.seconds()));
    if (loop === undefined) throw new Error("there is nothing prepared.");
    if (calls > 1) await loop(Math.ceil(calls / 5)); // the peers before have filled the caches with theirs
    return say("seconds", String(await time(loop, calls)));
  };

  say("hello", JSON.stringify({ version: peer.version, engine }));
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, rest] = splitLine(line);
    try {
      await (word === "prepare" ? prepare(rest) : run(Number(rest)));
    } catch (error) {
      say("error", error instanceof Error ? error.message : String(error));
    }
  }
}
