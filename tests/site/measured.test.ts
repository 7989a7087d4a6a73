import assert from "node:assert/strict";
import { test } from "node:test";
import { cases } from "../../bench/cases.js";
import { TITLES } from "../../site/measure/measured.js";

test("the page measures cases that the bench has, each of its kind once", () => {
  const known = cases.map(({ name }) => name);
  const titles = Object.entries(TITLES);
  assert.deepEqual(
    titles.map(([name]) => name).filter((name) => !known.includes(name)),
    [],
  );
  assert.equal(new Set(titles.map(([, title]) => title)).size, titles.length);
});
