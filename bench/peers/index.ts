/** `npm run bench:peers`: builds what is missing, starts every peer pinned to one core, compares them case by case. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildProbes, explainArguments, pin, root, runNode } from "../launch.js";
import { processor } from "../machine.js";
import { select } from "../options.js";
import { progress } from "../report.js";
import { cases } from "./cases.js";
import { drawChart, isDrawable } from "./chart.js";
import { compare, type Absence, type Entrant, type PeerResult } from "./measure.js";
import { HELP, parseOptions, type Options } from "./options.js";
import { INSTALL, peers, Unavailable, type PeerSpec } from "./peers.js";
import { PeerError, Remote } from "./remote.js";
import { absenceLine, jsonLine, report } from "./report.js";

/** Something that the person at the keyboard can put right. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The peers of a suite that were asked for. */
function choosePeers({ suite, peers: names }: Options): PeerSpec[] {
  const offering = peers.filter(({ suites }) => suites.includes(suite));
  const unknown = names?.find((name) => offering.every((peer) => peer.name !== name));
  if (unknown !== undefined) {
    throw new UsageError(`No peer of ${suite} is named "${unknown}"; there are ${namesOf(offering)}.`);
  }
  return names === undefined ? offering : offering.filter(({ name }) => names.includes(name));
}

const namesOf = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(", ");

/** Starts the peers; those that this machine cannot run are absent. */
async function start(specs: readonly PeerSpec[], pinning: readonly string[], folder: string, absences: Absence[]) {
  const started: (Entrant & { readonly remote: Remote })[] = [];
  for (const spec of specs) {
    progress(`starting ${spec.name}`);
    try {
      const { command, env = {} } = spec.command();
      const begun = await Remote.start({ command: [...pinning, ...command], env }, folder);
      started.push({ name: spec.name, limit: spec.limit, ...begun });
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof PeerError)) throw error;
      absences.push({ peer: spec.name, reason: error.message });
    }
  }
  return started;
}

async function measure(options: Options): Promise<void> {
  const { suite, filter, seconds, core, format, chart } = options;
  const ofSuite = cases.filter((one) => one.suite === suite);
  const selected = select(ofSuite, filter);
  if (selected.length === 0) {
    throw new UsageError(`No case of ${suite} matches "${filter}"; --list names them all.`);
  }
  const specs = choosePeers(options);
  if (options.list) {
    for (const { name } of selected) console.log(name);
    console.log(`\nPeers: ${namesOf(specs)}`);
    return;
  }
  const lacking = specs.filter((spec) => spec.packages).map(({ name }) => name);
  if (chart !== undefined) {
    lacking.push("the chart");
    if (!isDrawable(selected)) throw new UsageError(`"${filter}" leaves no two square products for the chart.`);
  }
  if (lacking.length > 0 && !existsSync(path.join(root, "bench/peers/node_modules"))) {
    throw new UsageError(`The packages of ${lacking.join(", ")} are not installed: ${INSTALL}`);
  }
  const pinning = pin(core);
  runNode("scripts/build.mjs", "--wasm");
  buildProbes();

  const folder = mkdtempSync(path.join(tmpdir(), "simdgrad-peers-"));
  const absences: Absence[] = [];
  const results: PeerResult[] = [];
  const rounds: number[] = [];
  const entrants = await start(specs, pinning, folder, absences);
  try {
    for (const [index, row] of selected.entries()) {
      const onProgress = (text: string) => {
        progress(`${index + 1} of ${selected.length}: ${text}`);
      };
      const compared = await compare(row, entrants, { folder, seconds, onProgress });
      progress("");
      results.push(...compared.results);
      absences.push(...compared.absences);
      rounds.push(compared.rounds);
      if (format === "json") for (const result of compared.results) console.log(jsonLine(result));
    }
  } finally {
    for (const { remote } of entrants) remote.close();
    rmSync(folder, { recursive: true });
  }
  if (format === "json") for (const absence of absences) console.error(absenceLine(absence));
  else console.log(report(results, absences, { processor, core: pinning.at(-1), seconds, rounds }, format));
  if (chart !== undefined) writeFileSync(chart, await drawChart(results, selected));
  if (absences.some(({ peer }) => peer.startsWith("simdgrad"))) process.exitCode = 1;
}

/** The options; undefined where they ask for help. */
function readOptions(): Options | undefined {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    throw new UsageError(`${explainArguments(error)}\nnpm run bench:peers -- --help explains the options.`);
  }
}

try {
  const options = readOptions();
  if (options === undefined) console.log(HELP);
  else await measure(options);
} catch (error) {
  progress("");
  console.error(`bench:peers: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
