/**
 * How the driver and the peers, one process each, talk: a line each way at a time. Arrays go through files of float32 in the
 * folder that the environment variable PEERS_DATA names, one array after the other.
 *
 * | driver, on standard input | peer, on file descriptor 3 (libraries print to the others) |
 * |---|---|
 * | | `hello {"version": …, "engine": …}` once it runs |
 * | `prepare OPERATION SIZES LENGTHS`, lists with commas; the inputs, of these lengths, are in the file `inputs` | `ready S` once the results of one call are in the file `outputs` and it is warm; a call takes about S seconds |
 * | | `skip WHY` where the peer does not offer that, `error WHY` where it failed |
 * | `run N` | `seconds S`: what one of N calls took, by a monotonic clock, after a few calls that fill the caches |
 *
 * The end of its input ends a peer.
 */

/** What is to be computed: an operation and its sizes, such as gemmNN of m, n and k. */
export interface Task {
  readonly operation: string;
  readonly sizes: readonly number[];
}

/** What takes part. */
export interface Identity {
  /** Libraries and their versions. */
  readonly version: string;
  /** What runs them. */
  readonly engine: string;
}

export const INPUTS = "inputs";
export const OUTPUTS = "outputs";

/** The request that readies a peer for a task with inputs of these lengths. */
export function prepareLine({ operation, sizes }: Task, lengths: readonly number[]): string {
  return `prepare ${operation} ${sizes.join(",")} ${lengths.join(",")}`;
}

/** The words after `prepare`. */
export function parsePrepare(text: string): Task & { readonly lengths: number[] } {
  const [operation = "", sizes = "", lengths = ""] = text.split(" ");
  const numbers = (list: string) => list.split(",").filter(Boolean).map(Number);
  return { operation, sizes: numbers(sizes), lengths: numbers(lengths) };
}

/** The first word of a line, and the rest. */
export function splitLine(line: string): [word: string, rest: string] {
  const space = line.indexOf(" ");
  return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
}
