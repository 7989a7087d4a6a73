/** What the machine could do at best, by the probes of `npm run bench`: VARIANT is strict or relaxed. */
import { initSync } from "../../../src/index.js";
import { Desk } from "../../desk.js";
import type { Calls, Limit } from "../../harness.js";
import { MachineLimits, STREAMS } from "../../limits.js";
import { readProbes } from "../../machine.js";
import { startStopwatch } from "../../stopwatch.js";
import { findCase } from "../cases.js";
import { serve } from "../serve.js";

const variant = process.argv[2] === "relaxed" ? "relaxed" : "strict";
const desk = new Desk(initSync({ variant }));
const limits = new MachineLimits(desk, readProbes(variant), startStopwatch);

/** A limit as it bounds the peers: they work on the same arrays at each call, and so does a stream. */
function onOneSet(limit: Limit): [Limit, Calls] {
  const run = () => undefined;
  if ("flops" in limit) return [limit, { run, args: [[], []] }];
  const arrays = Array.from({ length: STREAMS[limit.stream].arrays }, (_, index) => index);
  const pointers = arrays.map(() => desk.uniform(Math.ceil(limit.length / 4)));
  return [
    { ...limit, arrays },
    { run, args: [pointers, pointers] },
  ];
}

await serve({
  version: `probes of bench/limits.ts, ${variant}`,
  prepare: (task) => {
    const [limit, calls] = onOneSet(findCase(task).limit);
    const watches = [...limits.watch(limit, calls)];
    // The limit's own rule: the best of all rounds so far.
    const seconds = () => {
      for (const watch of watches) watch.round();
      return limits.seconds(limit, calls);
    };
    return { seconds };
  },
});
