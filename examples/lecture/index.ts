/** `npm run lecture`: rebuilds the lecture's steps and says of each claim what was measured and whether it holds. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { init } from "simdgrad";
import type { Part } from "./claim.js";
import { toSvg } from "./figures.js";
import { parts } from "./parts.js";

const HELP = `Rebuilds the steps of the lecture and prints each result beside what the lecture claims.

    npm run lecture [-- NAME …] [options]

    NAME           only these parts: ${parts.map(({ name }) => name).join(", ")}
    --figures DIR  where the figures go, as SVG (docs/lecture)
    --help         this text

The kernels are the strict ones, so that every machine prints the same numbers. Ends with exit code 0 whether claims hold or
not: that a claim does not is a finding.
`;

function fail(message: string): never {
  console.error(`${message}\nnpm run lecture -- --help explains the options.`);
  process.exit(2);
}

function options(): { readonly chosen: readonly Part[]; readonly folder: string; readonly help: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { figures: { type: "string", default: "docs/lecture" }, help: { type: "boolean", default: false } },
    });
    const unknown = positionals.find((name) => !parts.some((part) => part.name === name));
    if (unknown !== undefined) fail(`There is no part "${unknown}", only ${parts.map(({ name }) => name).join(", ")}.`);
    const chosen = positionals.length === 0 ? parts : parts.filter(({ name }) => positionals.includes(name));
    return { chosen, folder: values.figures, help: values.help };
  } catch (error) {
    return fail((error as Error).message.replace(/\. To specify.*/s, "."));
  }
}

const { chosen, folder, help } = options();
if (help) {
  console.log(HELP);
  process.exit(0);
}
let [held, fell] = [0, 0];
for (const part of chosen) {
  const runtime = await init({ variant: "strict" });
  const started = performance.now();
  console.log(`\n${part.title} (${part.name})`);
  const { claims, figures = {} } = await part.run(runtime, "full");
  for (const { lecture, measured, holds } of claims) {
    console.log(`  ${holds ? "holds   " : "does NOT"}  ${lecture}\n            measured: ${measured}`);
    if (holds) held++;
    else fell++;
  }
  for (const [name, figure] of Object.entries(figures)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${name}.svg`), await toSvg(figure));
    console.log(`  figure: ${path.join(folder, `${name}.svg`)}`);
  }
  console.log(`  ${((performance.now() - started) / 1000).toFixed(1)} s`);
  runtime.dispose();
}
console.log(`\n${held} claims hold, ${fell} do not`);
