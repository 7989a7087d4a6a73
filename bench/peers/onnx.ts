/** Writes models in the ONNX format: the few messages of onnx.proto3 that a graph of standard operators needs. */
import { load } from "./packages.js";

const SCHEMA = `
  syntax = "proto3";
  message ModelProto { int64 ir_version = 1; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; string op_type = 4; repeated AttributeProto attribute = 5;
  }
  message AttributeProto { string name = 1; int64 i = 3; int32 type = 20; }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message TypeProto { TensorTypeProto tensor_type = 1; }
  message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TensorShapeProto { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; }
`;
const FLOAT = 1;
const INT_ATTRIBUTE = 2;
const IR_VERSION = 8;
const OPSET = 17;

interface Protobuf {
  parse(
    source: string,
    options: { keepCase: boolean },
  ): {
    root: { lookupType(name: string): { encode(message: object): { finish(): Uint8Array } } };
  };
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number>>;
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** Shapes by name. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** Inputs whose values are part of the model. */
  readonly constants?: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>;
}

/** The bytes of a model of float32 tensors. */
export async function onnxModel({ nodes, inputs, outputs, constants = {} }: Graph): Promise<Uint8Array> {
  const protobuf = (await load("protobufjs")) as Protobuf;
  const values = (shapes: Graph["inputs"]) =>
    Object.entries(shapes).map(([name, shape]) => {
      const dim = shape.map((size) => ({ dim_value: size }));
      return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
    });
  const graph = {
    name: "graph",
    node: nodes.map(({ operator, inputs: input, output, attributes = {} }) => ({
      op_type: operator,
      input,
      output: [output],
      attribute: Object.entries(attributes).map(([name, i]) => ({ name, i, type: INT_ATTRIBUTE })),
    })),
    initializer: Object.entries(constants).map(
      ([
        name,
        {
          shape,
          values: { buffer, byteOffset, byteLength },
        },
      ]) => {
        return { name, dims: shape, data_type: FLOAT, raw_data: new Uint8Array(buffer, byteOffset, byteLength) };
      },
    ),
    input: values(inputs),
    output: values(outputs),
  };
  const model = { ir_version: IR_VERSION, opset_import: [{ version: OPSET }], graph };
  return protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("ModelProto").encode(model).finish();
}
