import type { KeyPath } from './problems.js';
import { configJsonSchema } from './schema.js';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** The keys that an object at this path may have; none where the path leads to no object. */
export function knownKeys(keys: KeyPath): string[] {
  let nodes: SchemaNode[] = [configJsonSchema() as SchemaNode];
  for (const key of keys) nodes = nodes.flatMap(alternatives).flatMap((node) => child(node, key));
  return nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {}));
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node];
}

function child(node: SchemaNode, key: string | number): SchemaNode[] {
  if (typeof key === 'number') return node.items === undefined ? [] : [node.items];
  const named = node.properties?.[key];
  if (named !== undefined) return [named];
  return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
}
