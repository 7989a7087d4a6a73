/** The kernels that are ours, by the names that TensorFlow.js has for them; all others are the cpu backend's. */
import { binary, select } from "./broadcast.js";
import type { Kernel } from "./kernel.js";
import { batchMatMul, fusedMatMul } from "./matmul.js";
import { gradient, unary } from "./unary.js";

export const kernels: Readonly<Record<string, Kernel>> = {
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,

  Relu: unary((k) => k.relu),
  Relu6: unary(
    (k) => k.clamp,
    () => [0, 6],
  ),
  LeakyRelu: unary(
    (k) => k.leakyRelu,
    ({ alpha }) => [alpha as number],
  ),
  Elu: unary(
    (k) => k.elu,
    () => [1],
  ),
  Sigmoid: unary((k) => k.sigmoid),
  Softplus: unary((k) => k.softplus),
  Tanh: unary((k) => k.tanh),
  Exp: unary((k) => k.exp),
  Log: unary((k) => k.log),
  ClipByValue: unary(
    (k) => k.clamp,
    ({ clipValueMin, clipValueMax }) => [clipValueMin as number, clipValueMax as number],
  ),
  Neg: unary(
    (k) => k.scale,
    () => [-1],
  ),
  EluGrad: gradient((k) => k.eluBackward, [1]),

  Add: binary((k) => k.add, { scalars: [1] }),
  Sub: binary((k) => k.add, { scalars: [-1] }),
  Multiply: binary((k) => k.multiply),
  RealDiv: binary((k) => k.divide),
  Minimum: binary((k) => k.minimum),
  Maximum: binary((k) => k.maximum),
  Equal: binary((k) => k.equal, { result: "bool" }),
  NotEqual: binary((k) => k.notEqual, { result: "bool" }),
  Less: binary((k) => k.less, { result: "bool" }),
  LessEqual: binary((k) => k.lessEqual, { result: "bool" }),
  Greater: binary((k) => k.less, { result: "bool", isSwapped: true }),
  GreaterEqual: binary((k) => k.lessEqual, { result: "bool", isSwapped: true }),
  LogicalAnd: binary((k) => k.multiply, { operands: "bool", result: "bool" }),
  LogicalOr: binary((k) => k.maximum, { operands: "bool", result: "bool" }),
  Select: select,
};
