/** `npm run site:build` makes the page's static folder; `npm run site` also serves it and says the address. */
import path from "node:path";
import { parseArgs } from "node:util";
import { root } from "../../bench/launch.js";
import { buildSite, SITE_FOLDER, visits } from "./build.js";
import { serveFolder } from "../serve.js";

const HELP = `Builds the page that trains, looks inside and measures in a browser, as a static folder that works from any path.

    npm run site:build         builds build/site and prints the sizes of its files
    npm run site [-- --port P] builds and serves it (8080)
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      serve: { type: "boolean", default: false },
      port: { type: "string", default: "8080" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const sizes = await buildSite();
  if (values.serve) {
    const { address } = await serveFolder(SITE_FOLDER, { port: Number(values.port) });
    console.log(`The page is at ${address}`);
    return;
  }
  const row = (name: string, bytes: number, gzipped: number) =>
    console.log(`${name.padEnd(24)}${String(bytes).padStart(9)}${String(gzipped).padStart(9)}`);
  console.log(`${path.relative(root, SITE_FOLDER)}/`.padEnd(28), "bytes  gzipped");
  for (const { file, bytes, gzipped } of sizes) row(file, bytes, gzipped);
  for (const { file, bytes, gzipped } of visits(sizes)) row(file, bytes, gzipped);
}

try {
  await main();
} catch (error) {
  console.error(`site: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
