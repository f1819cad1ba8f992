import type { Random } from '../mutate.js';

/** What is used of an OpenAPI 3.1 document. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, JsonSchema>> };
}

interface OpenApiOperation {
  readonly 'x-least-role'?: 'public' | Role;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: JsonSchema }>> };
}

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Role = 'viewer' | 'operator' | 'admin';
export const CALLERS = ['none', 'viewer', 'operator', 'admin', 'token'] as const;
export type Caller = (typeof CALLERS)[number];

export interface Operation {
  readonly method: string;
  /** As in the document, with its parameters in braces. */
  readonly path: string;
  readonly leastRole: 'public' | Role;
}

/** Strings that programs stumble over. */
const HOSTILE = [
  '',
  '../../etc/passwd',
  '..%2f..%2f',
  '%00',
  '\u0000',
  "' OR 1=1 --",
  '%',
  '*',
  '<script>',
  '__proto__',
  'constructor',
  '1e309',
  '-0',
  '9007199254740993',
  '١٢٣',
  '\ud800',
  '😀'.repeat(40),
  'a'.repeat(5000),
  '1.'.repeat(31),
];
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  Number.MAX_SAFE_INTEGER + 2,
  [],
  {},
  [[[[[[[[[[]]]]]]]]]],
  { __proto__: 1, constructor: { prototype: 1 } },
];

/**
 * A request as text: the caller and the request line, headers, an empty line, the body. What a mutation makes of it is
 * sent as it is, so far as it still names a caller.
 */
export class RequestGrammar {
  readonly operations: readonly Operation[];
  readonly #document: OpenApi;
  readonly #known: readonly string[];

  /** @param known values of parameters that name something */
  constructor(document: OpenApi, known: readonly string[]) {
    this.#document = document;
    this.#known = known;
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        leastRole: operation['x-least-role'] ?? 'admin',
      })),
    );
  }

  generate(random: Random, operation = random.pick(this.operations)): Buffer {
    const { parameters = [], requestBody } =
      this.#document.paths[operation.path]?.[operation.method.toLowerCase()] ?? {};
    const strange = random.chance(0.5) ? 0.15 : 0;
    const query = parameters
      .filter((one) => one.in === 'query' && random.chance(0.5))
      .map(({ name, schema }) => `${name}=${this.#encoded(schema, random, strange)}`);
    const path = operation.path.replaceAll(/\{([^}]*)\}/g, (_, name) => {
      const schema = parameters.find((one) => one.name === name)?.schema ?? {};
      return random.chance(0.7)
        ? encodeURIComponent(random.pick(this.#known))
        : this.#encoded(schema, random, 0.5);
    });
    const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? [];
    const text = body ? JSON.stringify(this.#value(body.schema, random, strange, 0)) : '';
    return requestText({
      caller: random.pick(CALLERS),
      line: `${operation.method} ${path}${query.length > 0 ? `?${query.join('&')}` : ''}`,
      headers: [...(type === undefined ? [] : [`Content-Type: ${type}`])],
      body: text,
    });
  }

  #encoded(schema: JsonSchema, random: Random, strange: number): string {
    const value = random.chance(strange)
      ? random.pick(HOSTILE)
      : String(this.#value(schema, random, strange, 0));
    return encodeURIComponent(Buffer.from(value).toString());
  }

  #value(schema: JsonSchema, random: Random, strange: number, depth: number): unknown {
    if (random.chance(strange)) {
      return random.pick(random.chance(0.5) ? HOSTILE : HOSTILE_VALUES);
    }
    if (depth > 12) return null;
    const deeper = (inner: JsonSchema) => this.#value(inner, random, strange, depth + 1);
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      return deeper(this.#document.components?.schemas?.[name] ?? {});
    }
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return random.pick(schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined) return deeper(random.pick(choices));
    if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map(deeper));
    const type = typeof schema.type === 'object' ? random.pick(schema.type) : schema.type;
    if (type === 'object') {
      const { properties = {}, required = [] } = schema;
      const kept = Object.entries(properties).filter(([name]) =>
        required.includes(name) ? !random.chance(strange) : random.chance(0.5),
      );
      return Object.fromEntries(kept.map(([name, inner]) => [name, deeper(inner)]));
    }
    if (type === 'array') {
      return Array.from({ length: random.below(4) }, () => deeper(schema.items ?? {}));
    }
    if (type === 'integer' || type === 'number') {
      const { minimum = 0, maximum = 100 } = schema;
      return minimum + random.below(Math.min(1000, maximum - minimum + 1));
    }
    if (type === 'boolean') return random.chance(0.5);
    if (type === 'null') return null;
    return random.chance(0.7)
      ? random.pick(this.#known)
      : random.bytes(random.below(20)).toString('latin1');
  }
}

export interface FuzzRequest {
  readonly caller: Caller;
  /** Method and target. */
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export function requestText({ caller, line, headers, body }: FuzzRequest): Buffer {
  return Buffer.from(`${[`${caller} ${line}`, ...headers].join('\n')}\n\n${body}`);
}

/** Undefined where the text names no caller. */
export function readRequest(text: Buffer): FuzzRequest | undefined {
  const [head = '', ...rest] = text.toString('latin1').split('\n\n');
  const [first = '', ...headers] = head.split('\n');
  const caller = CALLERS.find((one) => first.startsWith(`${one} `));
  if (caller === undefined) return undefined;
  return { caller, line: first.slice(caller.length + 1), headers, body: rest.join('\n\n') };
}
