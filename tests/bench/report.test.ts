import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, jsonLine, report } from "../../bench/report.js";

const result = { case: "relu 1000", unit: "ns/element", best: 0.0861, median: 0.11, shareOfLimit: 0.9 } as const;
const setting = { variant: "strict", engine: "node 24.0.0", processor: "CPU", core: 1, seconds: 30, rounds: 9 };
const machine = {
  peak: 50e9,
  levels: [{ name: "L1", size: 32768, footprint: 16384 }],
  streams: ["read", "copy"] as const,
  bandwidth: [[74e9, 98e9]],
};

test("figures have three significant digits", () => {
  assert.deepEqual([1234.5, 123.45, 12.345, 1.2345, 0.012345, 0].map(figure), [
    "1235",
    "123",
    "12.3",
    "1.23",
    "0.0123",
    "0.00",
  ]);
});

test("a JSON line has the documented keys, in order", () => {
  assert.equal(
    jsonLine(result, setting),
    '{"case":"relu 1000","variant":"strict","engine":"node 24.0.0","best":0.0861,"median":0.11,"unit":"ns/element","shareOfLimit":0.9}',
  );
});

test("a table is aligned", () => {
  assert.equal(
    report([result], setting, machine, "table"),
    `strict binary, node 24.0.0, CPU, pinned to core 1; 9 interleaved rounds in 30.0 s.

Peak of the multiply-add probes: 50.0 GFLOP/s. Streams, GB/s read and written:

level  footprint  read  copy
L1     16 KiB     74.0  98.0

case       unit          best  median  share of limit
relu 1000  ns/element  0.0861   0.110          90.0 %`,
  );
});

test("a markdown table has a rule under its header", () => {
  const lines = report([result], { ...setting, core: undefined }, machine, "markdown").split("\n");
  assert.match(lines[0] ?? "", /not pinned to a core/);
  assert.deepEqual(lines.slice(-3), [
    "| case | unit | best | median | share of limit |",
    "| --- | --- | ---: | ---: | ---: |",
    "| relu 1000 | ns/element | 0.0861 | 0.110 | 90.0 % |",
  ]);
});
