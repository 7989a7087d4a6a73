/** The driver's side of the protocol: a peer's process. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { splitLine, type Identity } from "./protocol.js";

/** How a peer's process is started. */
export interface Command {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer did not do what it was asked to; the rest of the run goes on without it. */
export class PeerError extends Error {
  override readonly name = "PeerError";
}

/** The last so many characters of what a peer printed to standard error explain its end. */
const TAIL = 400;

export class Remote {
  readonly #child: ChildProcess;
  #waiting: ((line: string | undefined) => void) | undefined;
  /** Replies that nobody has waited for yet. */
  readonly #replies: string[] = [];
  #complaint = "";
  #ended = false;

  private constructor({ command, env = {} }: Command, folder: string) {
    const [file = "", ...args] = command;
    this.#child = spawn(file, args, {
      env: { ...process.env, PEERS_DATA: folder, ...env },
      stdio: ["pipe", "ignore", "pipe", "pipe"],
    });
    const end = (reason: string) => {
      this.#complaint ||= reason;
      this.#ended = true;
      this.#waiting?.(undefined);
    };
    this.#child.stdin?.on("error", () => undefined); // its end says more
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-TAIL);
    });
    this.#child.once("error", ({ message }) => end(message));
    this.#child.once("close", (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
    createInterface({ input: this.#child.stdio[3] as Readable }).on("line", (line) => {
      if (this.#waiting) this.#waiting(line);
      else this.#replies.push(line);
    });
  }

  /** Starts a process, which finds its data in `folder`, and waits for its first line. */
  static async start(command: Command, folder: string): Promise<{ remote: Remote; identity: Identity }> {
    const remote = new Remote(command, folder);
    const identity = JSON.parse(await remote.#reply("hello")) as Identity;
    return { remote, identity };
  }

  /** Sends a line and returns what follows the word that the reply begins with. */
  async ask(line: string, word: "ready" | "seconds"): Promise<string> {
    if (!this.#ended) this.#child.stdin?.write(`${line}\n`);
    return this.#reply(word);
  }

  async #reply(word: string): Promise<string> {
    const line =
      this.#replies.shift() ??
      (this.#ended ? undefined : await new Promise<string | undefined>((resolve) => (this.#waiting = resolve)));
    this.#waiting = undefined;
    if (line === undefined) throw new PeerError(this.#complaint.trim().replace(/\s+/g, " "));
    const [first, rest] = splitLine(line);
    if (first !== word) throw new PeerError(rest);
    return rest;
  }

  /** Ends the process. */
  close(): void {
    this.#child.stdin?.end();
    if (!this.#ended) this.#child.kill();
  }
}
