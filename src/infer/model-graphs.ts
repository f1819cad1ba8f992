import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { StageError } from '../domain/failure.js';
import { CLASSES } from '../domain/finding.js';
import { classifier, GRAPHS, type GraphName, type ModelManifest } from './model-manifest.js';
import { ModelPackageError } from './model-package-error.js';

/** A dimension is a number, or the name of one that varies. */
type Shape = readonly (number | string)[];
type Signature = Readonly<Record<string, Shape>>;

/** Inputs and outputs of each graph (docs/model-package.md, Graphs). */
function signatures({
  input,
  features,
  activation,
}: ModelManifest): Readonly<
  Record<GraphName, { readonly inputs: Signature; readonly outputs: Signature }>
> {
  const classes = CLASSES.length;
  const { channels, height, width } = activation;
  const slices = { slices: ['N', input.channels.length, input.size, input.size] };
  const answer = { features: ['N', features], logits: ['N', classes] };
  return {
    'cnn.onnx': {
      inputs: slices,
      outputs: { ...answer, activation: ['N', channels, height, width] },
    },
    'cnn.int8.onnx': { inputs: slices, outputs: answer },
    'sequence.onnx': {
      inputs: { features: ['T', features], logits: ['T', classes] },
      outputs: { scores: ['T', classes] },
    },
    'gradient.onnx': {
      inputs: { features: ['T', features], logits: ['T', classes], seed: ['T', classes] },
      outputs: { feature_gradient: ['T', features] },
    },
    'cam.onnx': {
      inputs: { activation: ['N', channels, height, width], feature_gradient: ['N', features] },
      outputs: { cam: ['N', height, width] },
    },
  };
}

type Arrays = Readonly<Record<string, Float32Array>>;

/** The graphs of a package, open in ONNX Runtime. A run blocks the process: only the inference process has these. */
export class ModelGraphs {
  readonly #manifest: ModelManifest;
  readonly #sessions: ReadonlyMap<GraphName, InferenceSession>;

  private constructor(manifest: ModelManifest, sessions: ReadonlyMap<GraphName, InferenceSession>) {
    this.#manifest = manifest;
    this.#sessions = sessions;
  }

  /** @throws ModelPackageError `graph-mismatch` */
  static async open(
    folder: string,
    manifest: ModelManifest,
    threads: number,
  ): Promise<ModelGraphs> {
    const sessions = new Map<GraphName, InferenceSession>();
    for (const graph of new Set([...GRAPHS, classifier(manifest)])) {
      sessions.set(graph, await openGraph(folder, graph, manifest, threads));
    }
    const graphs = new ModelGraphs(manifest, sessions);
    await graphs.#tryOnce();
    return graphs;
  }

  /** Features [count, F] and logits [count, C] of a batch of slices. */
  async classify(
    slices: Float32Array,
    count: number,
  ): Promise<{ features: Float32Array; logits: Float32Array }> {
    return this.#run(classifier(this.#manifest), { slices }, count, ['features', 'logits']);
  }

  /** As `classify`, where `cnn.onnx` classifies: its feature map [count, K, h, w] is written into `activation`. */
  async classifyWithMap(
    slices: Float32Array,
    count: number,
    activation: Float32Array,
  ): Promise<{ features: Float32Array; logits: Float32Array }> {
    // What is not finite in the map is not finite in the features, which are checked: they are pooled of it.
    const into = { activation };
    return this.#run('cnn.onnx', { slices }, count, ['features', 'logits'], into);
  }

  /** The feature map [count, K, h, w] that Grad-CAM weighs. */
  async activation(slices: Float32Array, count: number): Promise<Float32Array> {
    return (await this.#run('cnn.onnx', { slices }, count, ['activation'])).activation;
  }

  /** The sequence model's logits [length, C]. */
  async scores(
    features: Float32Array,
    logits: Float32Array,
    length: number,
  ): Promise<Float32Array> {
    return (await this.#run('sequence.onnx', { features, logits }, length, ['scores'])).scores;
  }

  /** dS/d`features` [length, F] for the seed dS/d`scores` [length, C]. */
  async gradient(
    features: Float32Array,
    logits: Float32Array,
    seed: Float32Array,
    length: number,
  ): Promise<Float32Array> {
    const run = await this.#run('gradient.onnx', { features, logits, seed }, length, [
      'feature_gradient',
    ]);
    return run.feature_gradient;
  }

  /** Grad-CAM [count, h, w]. */
  async cam(
    activation: Float32Array,
    gradient: Float32Array,
    count: number,
  ): Promise<Float32Array> {
    const inputs = { activation, feature_gradient: gradient };
    return (await this.#run('cam.onnx', inputs, count, ['cam'])).cam;
  }

  async #run<Name extends string>(
    graph: GraphName,
    inputs: Arrays,
    length: number,
    outputs: readonly Name[],
    into: Arrays = {},
  ): Promise<Record<Name, Float32Array>> {
    const signature = signatures(this.#manifest)[graph];
    const tensors = (arrays: Arrays, shapes: Signature) =>
      Object.fromEntries(
        Object.entries(arrays).map(([name, data]) => {
          const shape = sized(shapes[name] ?? [], length);
          return [name, new Tensor('float32', data, shape)];
        }),
      );
    const session = this.#sessions.get(graph);
    if (session === undefined) throw new Error(`${graph} is not open`);
    const fetched = await session.run(tensors(inputs, signature.inputs), {
      ...Object.fromEntries(outputs.map((name) => [name, null])),
      ...tensors(into, signature.outputs),
    });
    return Object.fromEntries(
      outputs.map((name) => {
        const shape = sized(signature.outputs[name] ?? [], length);
        return [name, checked(graph, name, fetched[name], shape)];
      }),
    ) as Record<Name, Float32Array>;
  }

  /** Shapes can be symbolic in a graph: one run shows what they are, and pays for the first allocation. */
  async #tryOnce(): Promise<void> {
    const { input, features: width } = this.#manifest;
    const slices = new Float32Array(2 * input.channels.length * input.size * input.size);
    try {
      const { features, logits } = await this.classify(slices, 2);
      await this.scores(features, logits, 2);
      const gradient = await this.gradient(features, logits, new Float32Array(logits.length), 2);
      await this.cam(await this.activation(slices, 2), gradient.subarray(0, 2 * width), 2);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ModelPackageError('graph-mismatch', `A trial run of the model failed: ${message}`, {
        cause,
      });
    }
  }
}

async function openGraph(
  folder: string,
  graph: GraphName,
  manifest: ModelManifest,
  threads: number,
): Promise<InferenceSession> {
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(join(folder, graph), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // A waiting thread that spins takes the CPU that the receiver needs; the wall time is the same without.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    throw new ModelPackageError('graph-mismatch', `${graph} cannot be opened`, { cause });
  }
  const { inputs, outputs } = signatures(manifest)[graph];
  checkSignature(graph, 'input', inputs, session.inputMetadata, true);
  checkSignature(graph, 'output', outputs, session.outputMetadata, false);
  return session;
}

function checkSignature(
  graph: GraphName,
  side: 'input' | 'output',
  expected: Signature,
  actual: readonly InferenceSession.ValueMetadata[],
  exact: boolean,
): void {
  const refuse = (message: string) => {
    throw new ModelPackageError('graph-mismatch', `${graph}: ${message}`);
  };
  for (const [name, shape] of Object.entries(expected)) {
    const found = actual.find((value) => value.name === name);
    if (!found?.isTensor || found.type !== 'float32') {
      refuse(`has no float32 ${side} "${name}"`);
    } else if (!sameShape(shape, found.shape)) {
      refuse(`${side} "${name}" is [${found.shape.join(', ')}], not [${shape.join(', ')}]`);
    }
  }
  const unknown = actual.find(({ name }) => !(name in expected));
  if (exact && unknown) refuse(`needs an unknown ${side} "${unknown.name}"`);
}

/** A named dimension of the graph fits anything; a fixed one must be the contract's, and none may fix N or T. */
function sameShape(expected: Shape, actual: Shape): boolean {
  return (
    expected.length === actual.length &&
    actual.every((size, i) => typeof size === 'string' || size === expected[i])
  );
}

function sized(shape: Shape, length: number): number[] {
  return shape.map((size) => (typeof size === 'string' ? length : size));
}

function checked(
  graph: GraphName,
  name: string,
  tensor: InferenceSession.OnnxValueMapType[string] | undefined,
  shape: readonly number[],
): Float32Array {
  if (!(tensor?.data instanceof Float32Array) || tensor.dims.join() !== shape.join()) {
    throw new StageError(
      'model-output-invalid',
      'permanent',
      `${graph} gave "${name}" as [${tensor?.dims.join(', ')}], not [${shape.join(', ')}]`,
    );
  }
  if (!tensor.data.every(Number.isFinite)) {
    throw new StageError(
      'model-output-invalid',
      'transient',
      `${graph} gave a "${name}" that is not finite`,
    );
  }
  return tensor.data;
}
