/** What the machine could do at best, by the probes of `npm run bench`: VARIANT is strict or relaxed. */
import { initSync } from "../../../src/index.js";
import { Desk } from "../../desk.js";
import type { Calls } from "../../harness.js";
import { MachineLimits } from "../../limits.js";
import { findCase } from "../cases.js";
import { serve } from "../serve.js";

const variant = process.argv[2] === "relaxed" ? "relaxed" : "strict";
const limits = new MachineLimits(new Desk(initSync({ variant })), variant);
const none: Calls = { run: () => 0, args: [[], []] };

await serve({
  version: `probes of bench/limits.ts, ${variant}`,
  prepare: (task) => {
    const { limit } = findCase(task);
    const watches = [...limits.watch(limit, none)];
    // The limit's own rule: the best of all rounds so far.
    const seconds = () => {
      for (const watch of watches) watch.round();
      return limits.seconds(limit, none);
    };
    return { seconds };
  },
});
