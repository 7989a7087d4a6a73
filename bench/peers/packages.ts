/** The packages of bench/peers, which may not be installed where types are checked: whoever loads one declares what it uses. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);

/** What a package exports by default, or else all that it exports. */
export async function load(name: string): Promise<unknown> {
  const module = (await import(name)) as { default?: unknown };
  return module.default ?? module;
}

/** For example `ml-matrix 6.15.1`. */
export function versionOf(name: string): string {
  const file = path.join(import.meta.dirname, "node_modules", name, "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return `${name} ${version}`;
}

/** The folder of a package. */
export function folderOf(name: string): string {
  return path.dirname(require.resolve(`${name}/package.json`));
}
