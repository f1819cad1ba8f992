import schema from '../../../config/vigil.schema.json' with { type: 'json' };

/** The parts of a JSON Schema that the configuration's own uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

export interface Word {
  readonly word: string;
  readonly description?: string;
}

const root = schema as Schema;

/** The keys that may stand at a place of the configuration. */
export function keysAt(path: readonly string[]): Word[] {
  const words = schemasAt(path).flatMap(({ properties = {} }) =>
    Object.entries(properties).map(([word, { description }]) => ({
      word,
      ...(description === undefined ? {} : { description }),
    })),
  );
  return [...new Map(words.map((one) => [one.word, one])).values()];
}

/** The values that may stand there, where they are few and named. */
export function valuesAt(path: readonly string[]): Word[] {
  const values = schemasAt(path).flatMap((one) => [
    ...(one.enum ?? []),
    ...('const' in one ? [one.const] : []),
    ...(one.type === 'boolean' ? [true, false] : []),
  ]);
  return [...new Set(values.map(String))].map((word) => ({ word }));
}

/** Each alternative that the schema has for a place. */
function schemasAt(path: readonly string[]): Schema[] {
  let here = alternatives(root);
  for (const step of path) here = here.flatMap((one) => stepInto(one, step));
  return here;
}

function stepInto({ properties, additionalProperties, items }: Schema, step: string): Schema[] {
  if (step === '[]') return items === undefined ? [] : alternatives(items);
  const named = properties?.[step];
  if (named !== undefined) return alternatives(named);
  return typeof additionalProperties === 'object' ? alternatives(additionalProperties) : [];
}

function alternatives(one: Schema): Schema[] {
  const { $ref, anyOf = [], oneOf = [], allOf = [] } = one;
  const referred = $ref === undefined ? undefined : root.$defs?.[$ref.replace('#/$defs/', '')];
  const more = [...anyOf, ...oneOf, ...allOf, ...(referred === undefined ? [] : [referred])];
  return [one, ...more.flatMap(alternatives)];
}
