/** One case: all peers made ready and their results checked, then timed a few milliseconds each, in turn, round after round. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Random } from "../../tests/support/random.js";
import { inUnit, median, type Unit } from "../harness.js";
import type { PeerCase, Suite } from "./cases.js";
import { INPUTS, OUTPUTS, prepareLine, type Identity } from "./protocol.js";
import { PeerError, type Remote } from "./remote.js";

/** A peer that has started. */
export interface Entrant {
  readonly name: string;
  /** Whether it is a limit, which leaves no results to check. */
  readonly limit: boolean;
  readonly identity: Identity;
  readonly remote: Pick<Remote, "ask">;
}

export interface PeerResult {
  readonly suite: Suite;
  readonly case: string;
  readonly peer: string;
  readonly version: string;
  readonly engine: string;
  readonly best: number;
  readonly median: number;
  readonly unit: Unit;
}

/** A peer that took no part, and why. */
export interface Absence {
  readonly case?: string;
  readonly peer: string;
  readonly reason: string;
}

export interface Compared {
  readonly results: readonly PeerResult[];
  readonly absences: readonly Absence[];
  readonly rounds: number;
}

/** About how many seconds of calls make a sample. */
const SAMPLE = 0.004;
const SEED = 1;

interface Turn {
  readonly entrant: Entrant;
  /** Seconds of a call when the peer was made ready. */
  readonly estimate: number;
  readonly samples: number[];
  /** Seconds that its turns have taken. */
  spent: number;
}

export interface Compare {
  /** Where the peers look for their data. */
  readonly folder: string;
  /** How long the rounds of a case go on. */
  readonly seconds: number;
  readonly onProgress?: (text: string) => void;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** Compares the peers in one case. What a peer fails at is its absence, with the reason, and no failure of the run. */
export async function compare(
  row: PeerCase,
  entrants: readonly Entrant[],
  { folder, seconds, onProgress = () => undefined, now = () => performance.now() }: Compare,
): Promise<Compared> {
  const absences: Absence[] = [];
  const inputs = row.inputs(new Random(SEED));
  writeFileSync(path.join(folder, INPUTS), Buffer.concat(inputs.map((array) => Buffer.from(array.buffer))));

  const lengths = inputs.map(({ length }) => length);
  onProgress(`${row.name}: float64`);
  const check = row.checker(inputs);
  let turns: Turn[] = [];
  /** Does something with a peer, or without it from then on. */
  const attempt = async (entrant: Entrant, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      absences.push({ case: row.name, peer: entrant.name, reason: error.message });
      turns = turns.filter((turn) => turn.entrant !== entrant);
    }
  };
  for (const entrant of entrants) {
    onProgress(`${row.name}: ${entrant.name} gets ready`);
    await attempt(entrant, async () => {
      const estimate = await ready(entrant, prepareLine(row.task, lengths), check, folder);
      turns.push({ entrant, estimate, samples: [], spent: 0 });
    });
  }

  const sample = async (turn: Turn) => {
    const begin = now();
    const calls = Math.max(1, Math.round(SAMPLE / turn.estimate));
    turn.samples.push(Number(await turn.entrant.remote.ask(`run ${calls}`, "seconds")));
    turn.spent += now() - begin;
  };
  // Whose call takes a tenth of all the time is timed once: the others' rounds are not to wait for it.
  const slow = turns.filter(({ estimate }) => estimate > seconds / 10);
  for (const turn of slow) {
    onProgress(`${row.name}: ${turn.entrant.name}`);
    await attempt(turn.entrant, () => sample(turn));
  }
  const order = new Random(SEED);
  const begin = now();
  let rounds = 0;
  do {
    rounds++;
    onProgress(`${row.name}: round ${rounds}`);
    const taking = turns.filter((turn) => !slow.includes(turn));
    for (const index of order.permutation(taking.length)) {
      const turn = taking[index]!;
      // Whose calls are long waits while it has had twice its share of the time.
      if (turn.samples.length > 0 && turn.spent > (2 * (now() - begin)) / taking.length) continue;
      await attempt(turn.entrant, () => sample(turn));
    }
  } while (now() - begin < seconds * 1e3);

  const results = turns.map(({ entrant, samples }): PeerResult => {
    const { name: peer, identity } = entrant;
    const [best, middle] = [inUnit(row, Math.min(...samples)), inUnit(row, median(samples))];
    return { suite: row.suite, case: row.name, peer, ...identity, best, median: middle, unit: row.unit };
  });
  return { results, absences, rounds };
}

/** Has a peer make itself ready, checks its results and returns the seconds that a call takes. */
async function ready(
  { remote, limit }: Entrant,
  line: string,
  check: (outputs: Float32Array) => void,
  folder: string,
): Promise<number> {
  const file = path.join(folder, OUTPUTS);
  rmSync(file, { force: true });
  const estimate = Number(await remote.ask(line, "ready"));
  if (limit) return estimate;
  const { buffer, byteOffset, byteLength } = readFileSync(file);
  try {
    check(new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)));
  } catch (error) {
    throw new PeerError(`wrong result: ${(error as Error).message}`);
  }
  return estimate;
}
