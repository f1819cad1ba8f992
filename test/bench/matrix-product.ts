/** Fields of ONNX's protocol buffers (onnx.proto3, version 1.16), as far as one MatMul needs them. */
const FIELD = {
  model: { irVersion: 1, graph: 7, opsetImport: 8 },
  opset: { version: 2 },
  graph: { node: 1, name: 2, input: 11, output: 12 },
  node: { input: 1, output: 2, opType: 4 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensor: { elementType: 1, shape: 2 },
  shape: { dim: 1 },
  dim: { value: 1 },
} as const;
const FLOAT = 1;

/** An ONNX model of `c = a b` for square matrices of float32. */
export function matrixProduct(size: number): Uint8Array {
  const shape = message(FIELD.tensor.shape, [dimension(size), dimension(size)]);
  const tensor = [number(FIELD.tensor.elementType, FLOAT), shape];
  const type = message(FIELD.value.type, [message(FIELD.type.tensor, tensor)]);
  const value = (field: number, name: string) =>
    message(field, [text(FIELD.value.name, name), type]);
  const node = message(FIELD.graph.node, [
    text(FIELD.node.input, 'a'),
    text(FIELD.node.input, 'b'),
    text(FIELD.node.output, 'c'),
    text(FIELD.node.opType, 'MatMul'),
  ]);
  return Buffer.concat([
    number(FIELD.model.irVersion, 8),
    message(FIELD.model.graph, [
      node,
      text(FIELD.graph.name, 'product'),
      value(FIELD.graph.input, 'a'),
      value(FIELD.graph.input, 'b'),
      value(FIELD.graph.output, 'c'),
    ]),
    message(FIELD.model.opsetImport, [number(FIELD.opset.version, 13)]),
  ]);
}

function dimension(size: number): Buffer {
  return message(FIELD.shape.dim, [number(FIELD.dim.value, size)]);
}

function number(field: number, value: number): Buffer {
  return Buffer.from([field << 3, ...varint(value)]);
}

function text(field: number, value: string): Buffer {
  return message(field, [Buffer.from(value)]);
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(body.length)]), body]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
