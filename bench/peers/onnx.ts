/** @file As much of ONNX's protobuf as models of one operation need (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */

type Constant = { readonly data: Float32Array | BigInt64Array; readonly shape: readonly number[] };
type Shapes = Readonly<Record<string, readonly number[]>>;

const bytesOf = new TextEncoder();

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}

const number = (field: number, value: number) => Buffer.concat([varint(field << 3), varint(value)]);
const block = (field: number, ...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const text = (field: number, value: string) => block(field, bytesOf.encode(value));

/** A NodeProto; attributes are lists of integers. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, readonly number[]>> = {},
): Uint8Array {
  return block(
    1,
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(3, outputs[0]),
    text(4, op),
    ...Object.entries(attributes).map(([name, list]) => block(5, text(1, name), ...list.map((v) => number(8, v)), number(20, 7))),
  );
}

const float = 1;
const int64 = 7;

function initializer(name: string, { data, shape }: Constant): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return block(
    5,
    ...shape.map((d) => number(1, d)),
    number(2, data instanceof Float32Array ? float : int64),
    text(8, name),
    block(9, raw),
  );
}

function valueInfo(field: number, name: string, shape: readonly number[]): Uint8Array {
  return block(field, text(1, name), block(2, block(1, number(1, float), block(2, ...shape.map((d) => block(1, number(1, d)))))));
}

/** A ModelProto with float inputs and outputs. */
export function model(
  nodes: readonly Uint8Array[],
  constants: Readonly<Record<string, Constant>>,
  inputs: Shapes,
  outputs: Shapes,
): Uint8Array {
  const graph = [
    ...nodes,
    text(2, "graph"),
    ...Object.entries(constants).map(([name, c]) => initializer(name, c)),
    ...Object.entries(inputs).map(([name, shape]) => valueInfo(11, name, shape)),
    ...Object.entries(outputs).map(([name, shape]) => valueInfo(12, name, shape)),
  ];
  const irVersion = 9;
  const opset = 18;
  return Buffer.concat([number(1, irVersion), block(7, ...graph), block(8, text(1, ""), number(2, opset))]);
}
