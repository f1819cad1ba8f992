import type { KeyPath } from './problems.js';
import { configJsonSchema } from './schema.js';

interface SchemaNode {
  /** Such as `#/$defs/condition`. */
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The keys that an object at this path may have; none where the path leads to no object. */
export function knownKeys(keys: KeyPath): string[] {
  const root = configJsonSchema() as SchemaNode;
  const forms = (node: SchemaNode): readonly SchemaNode[] => {
    const { $ref, anyOf } = node;
    if ($ref !== undefined) {
      const meant = root.$defs?.[$ref.split('/').at(-1) ?? ''];
      return meant === undefined ? [] : forms(meant);
    }
    return anyOf === undefined ? [node] : anyOf.flatMap(forms);
  };
  let nodes: SchemaNode[] = [root];
  for (const key of keys) nodes = nodes.flatMap(forms).flatMap((node) => child(node, key));
  return nodes.flatMap(forms).flatMap((node) => Object.keys(node.properties ?? {}));
}

function child(node: SchemaNode, key: string | number): SchemaNode[] {
  if (typeof key === 'number') return node.items === undefined ? [] : [node.items];
  const named = node.properties?.[key];
  if (named !== undefined) return [named];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}
