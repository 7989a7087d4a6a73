import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FAULTS } from "./faults.js";

// npm run mutate takes minutes; this keeps its table in step with the kernels between its runs.
for (const { name, file, find, replace } of FAULTS) {
  test(`fault "${name}" still has its place in ${file}`, () => {
    assert.equal(readFileSync(file, "utf8").split(find).length - 1, 1, `"${find}" must occur once in ${file}.`);
    assert.notEqual(find, replace);
  });
}
