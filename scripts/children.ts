/** Processes that end with this one, however it ends from outside: each leads a group of its own, which would live on. */
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";

const INTERRUPTS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const running = new Set<ChildProcess>();

/** Starts a command without input. Its group takes what it starts itself, as browsers do. */
export function start(
  [command = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(command, args, { detached: true, env, stdio: ["ignore", "pipe", "pipe"] });
  if (running.size === 0) for (const signal of INTERRUPTS) process.on(signal, abandon);
  running.add(child);
  const forget = () => {
    running.delete(child);
    if (running.size === 0) for (const signal of INTERRUPTS) process.off(signal, abandon);
  };
  child.once("error", forget).once("exit", forget);
  return child;
}

/** Signals a process and all that it started. */
export function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}

function abandon(): void {
  for (const child of running) signalGroup(child, "SIGKILL");
  process.exit(1);
}
