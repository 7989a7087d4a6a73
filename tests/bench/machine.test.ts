import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { cacheLevels } from "../../bench/machine.js";

/** A folder as Linux keeps for a core's caches. */
function withCaches(
  caches: readonly [level: number, type: string, size: string][],
  use: (folder: string) => void,
): void {
  const folder = mkdtempSync(path.join(tmpdir(), "caches-"));
  try {
    for (const [index, [level, type, size]] of caches.entries()) {
      mkdirSync(path.join(folder, `index${index}`));
      for (const [name, value] of Object.entries({ level, type, size })) {
        writeFileSync(path.join(folder, `index${index}`, name), `${value}\n`);
      }
    }
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every footprint fits its level and not the level before", () => {
  const machines: [number, string, string][][] = [
    [
      [1, "Data", "32K"],
      [1, "Instruction", "32K"],
      [2, "Unified", "1024K"],
      [3, "Unified", "32768K"],
    ],
    [
      [1, "Data", "48K"],
      [1, "Instruction", "32K"],
      [2, "Unified", "2048K"],
      [3, "Unified", "107520K"],
    ],
    [
      [1, "Data", "192K"],
      [2, "Unified", "12M"],
    ],
  ];
  for (const caches of machines) {
    withCaches(caches, (folder) => {
      const levels = cacheLevels(folder);
      assert.deepEqual(
        levels.map(({ name }) => name),
        ["L1", "L2", "L3", "memory"],
      );
      for (const [index, { size, footprint }] of levels.entries()) {
        assert.ok(footprint <= size);
        assert.ok(footprint >= 1.5 * (levels[index - 1]?.size ?? 0));
      }
    });
  }
});

test("common sizes where the system does not tell", () => {
  const levels = cacheLevels("/nowhere");
  assert.deepEqual(
    levels.map(({ footprint }) => footprint),
    [16, 384, 6144, 81920].map((kib) => kib * 1024),
  );
});
