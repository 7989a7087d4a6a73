/** Backends of TensorFlow.js in processes of their own on one core, which are checked against cpu and then take turns. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { BackendName } from "../../examples/tfjs/backends.js";
import { median } from "../harness.js";
import { engineFlags, pin, root } from "../launch.js";
import type { Reply, Request } from "./worker.js";

export interface Entrant {
  readonly backend: BackendName;
  readonly child: ChildProcess;
}

export async function start(backend: BackendName, engine: string, core: number | undefined): Promise<Entrant> {
  const worker = path.join(root, "bench/tfjs/worker.ts");
  const [command = "", ...args] = [...pin(core), engine, ...engineFlags(engine), "--import", "tsx", worker, backend];
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2, "ipc"] });
  await once(child, "message");
  return { backend, child };
}

async function ask({ child }: Entrant, request: Request): Promise<Reply> {
  child.send(request);
  const [reply] = (await once(child, "message")) as [Reply];
  return reply;
}

/** What all backends do in turn. */
export interface Contest {
  readonly name: string;
  request(backend: BackendName): Request;
  /** How far a value may be from cpu's, whose size this is. */
  tolerance(value: number): number;
  /** How long a turn takes about, in milliseconds. */
  readonly turn: number;
  /** How long the turns go on. */
  readonly seconds: number;
}

/** How one backend did. */
export interface Outcome {
  readonly backend: BackendName;
  /** What went wrong; then there is nothing else. */
  readonly error?: string;
  /** Milliseconds of one repetition. */
  readonly best: number;
  readonly median: number;
  /** The most that a value is off cpu's, relative to it, and how many were compared. */
  readonly apart: number;
  readonly compared: number;
}

/** Whose repetition takes longer than this, in milliseconds, is timed once: the others' rounds are not to wait for it. */
const SLOW = 1000;

/** Lets all backends do the same, throws if their values are not cpu's, and times those that can do it in turns. */
export async function compete(contest: Contest, entrants: readonly Entrant[]): Promise<Outcome[]> {
  const replies: Reply[] = [];
  for (const entrant of entrants) replies.push(await ask(entrant, contest.request(entrant.backend)));
  const reference = replies[entrants.findIndex(({ backend }) => backend === "cpu")]?.values ?? [];
  for (const [i, { values }] of replies.entries()) {
    const isOff = (value: number, at: number) => !(Math.abs(value - (values?.[at] ?? NaN)) <= contest.tolerance(value));
    if (reference.length === 0 || (values && reference.some(isOff))) {
      throw new Error(`${contest.name}: the values of ${String(entrants[i]?.backend)} are not those of cpu.`);
    }
  }
  const samples = await takeTurns(
    entrants.filter((_, i) => replies[i]?.values),
    contest,
  );
  return entrants.map((entrant, i) => {
    const { values = [], error } = replies[i] as Reply;
    const own = samples.get(entrant) ?? [];
    return {
      backend: entrant.backend,
      ...(error !== undefined && { error }),
      best: Math.min(...own),
      median: median(own),
      apart: Math.max(...reference.map((value, at) => Math.abs((values[at] ?? NaN) / value - 1))),
      compared: reference.length,
    };
  });
}

/** The milliseconds of a repetition, a sample for each turn. */
async function takeTurns(entrants: readonly Entrant[], { turn, seconds }: Contest): Promise<Map<Entrant, number[]>> {
  const samples = new Map(entrants.map((entrant) => [entrant, [] as number[]]));
  const begin = performance.now();
  do {
    for (const [entrant, own] of samples) {
      const last = own.at(-1) ?? turn;
      if (last > SLOW) continue;
      const { milliseconds = NaN } = await ask(entrant, { repeat: Math.max(1, Math.round(turn / last)) });
      own.push(milliseconds);
    }
  } while (performance.now() - begin < seconds * 1e3);
  return samples;
}
