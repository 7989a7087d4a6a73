/**
 * `require` that loads TensorFlow.js from its ES modules, as CommonJS: its suite spies on exports of modules, which only
 * CommonJS leaves writable. All that is loaded this way shares one @tensorflow/tfjs-core. The published files have
 * extension-less imports inside a CommonJS package, so that Node loads them in no other way.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";
import ts from "typescript";

const require = createRequire(import.meta.url);

/**
 * The hooks of Node's CommonJS loader that its types leave out.
 * @typedef {{ _compile(source: string, filename: string): void }} Loading
 * @typedef {(module: Loading, filename: string) => void} Extension
 * @typedef {{ _resolveFilename: (request: string, ...rest: unknown[]) => string, _extensions: Record<".js", Extension> }} Loader
 */
const loader = /** @type {Loader} */ (/** @type {unknown} */ (Module));

const CACHE = path.resolve("build/tfjs");
const PACKAGE = /^@tensorflow\/tfjs-[\w-]+$/;
const SOURCE = /[\\/]@tensorflow[\\/]tfjs[^\\/]*[\\/]dist[\\/]/;

/** The file of an ES module as CommonJS, transpiled unless it has been before. */
function transpiled(/** @type {string} */ filename, /** @type {string} */ source) {
  const key = createHash("sha256").update(`${ts.version}\0${filename}\0${source}`).digest("hex");
  const file = path.join(CACHE, `${key}.cjs`);
  if (existsSync(file)) return readFileSync(file, "utf8");
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2020, esModuleInterop: true };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  const draft = `${file}.${process.pid}`; // several processes may fill the cache
  writeFileSync(draft, outputText);
  renameSync(draft, file);
  return outputText;
}

mkdirSync(CACHE, { recursive: true });

const resolve = loader._resolveFilename;
loader._resolveFilename = (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) => {
  if (!PACKAGE.test(request)) return resolve.call(loader, request, ...rest);
  const manifest = resolve.call(loader, `${request}/package.json`, ...rest);
  const { module } = /** @type {{ module: string }} */ (JSON.parse(readFileSync(manifest, "utf8")));
  return path.join(path.dirname(manifest), module);
};

const load = loader._extensions[".js"];
loader._extensions[".js"] = (/** @type {Loading} */ module, /** @type {string} */ filename) => {
  const source = SOURCE.test(filename) ? readFileSync(filename, "utf8") : "";
  if (!/^\s*(?:import|export)\b/m.test(source)) load(module, filename);
  else module._compile(transpiled(filename, source.replace(/^\/\/# sourceMappingURL=data:.*$/m, "")), filename);
};

export const requireTfjs = require;
