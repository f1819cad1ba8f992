import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { configJsonSchema, configSchema } from '../../../src/config/schema.js';

const SHIPPED = 'config/vigil.yaml';
const shipped = readFileSync(SHIPPED, 'utf8');

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly default?: unknown;
}

/** Every key of the schema that holds a value, by its path, `<name>` for a destination's. */
function leaves(node: SchemaNode, path: string): { path: string; node: SchemaNode }[] {
  const { properties, additionalProperties: named, items } = node;
  const inner = [
    ...Object.entries(properties ?? {}).map(([key, child]) => ({ key: `.${key}`, child })),
    ...(named ? [{ key: '.<name>', child: named }] : []),
    ...(items?.properties ? [{ key: '[]', child: items }] : []),
  ];
  if (inner.length === 0) return [{ path: path.slice(1), node }];
  return inner.flatMap(({ key, child }) => leaves(child, path + key));
}
const keys = leaves(configJsonSchema() as SchemaNode, '');

describe('config/vigil.schema.json', () => {
  it('is what the schema gives (npm run schema writes it)', async () => {
    const text = JSON.stringify(configJsonSchema());
    const biome = ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=s.json'];
    const formatted = execFileSync('node', biome, { input: text, encoding: 'utf8' });
    await expect(formatted).toMatchFileSnapshot('../../../config/vigil.schema.json');
  });

  it('describes every key', () => {
    expect(keys.filter(({ node }) => !node.description)).toEqual([]);
  });
});

describe('config/vigil.yaml', () => {
  it('works as shipped, and says that results go nowhere yet', () => {
    const { warnings } = parseSettings(shipped, SHIPPED, {});
    expect(warnings.map(({ message }) => message)).toEqual([
      'No route is configured: studies are read, but results go nowhere',
    ]);
  });

  it('holds the defaults', () => {
    const { settings } = parseSettings(shipped, '/etc/vigil/vigil.yaml', {});
    const defaults = parseSettings('storage: { folder: ../data }', '/etc/vigil/vigil.yaml', {});
    expect(settings).toEqual(defaults.settings);
  });

  it('names the schema for editors', () => {
    expect(shipped.split('\n')[0]).toBe('# yaml-language-server: $schema=vigil.schema.json');
  });

  it('has examples that work when the comment marks are taken away', () => {
    const text = shipped
      .replace(/^(destinations|scanners|channels|routes): .*$/gm, '$1:')
      .replace(/^#( {2}.*)$/gm, '$1')
      .replaceAll('to: [workstation]', 'to: [pacs]');
    const { settings } = parseSettings(text, SHIPPED, {});
    expect(settings.destinations.map(({ name }) => name)).toEqual(['pacs']);
    expect(settings.scanners.map(({ name }) => name)).toEqual(['ct1']);
    expect(settings.channels.map(({ name }) => name)).toEqual([
      'on-call',
      'worklist',
      'ris',
      'portal',
    ]);
    expect(settings.routing.routes.map(({ name }) => name)).toEqual([
      'everything-to-pacs',
      'phantoms',
      'bleeds-of-ct1-to-workstation',
    ]);
  });

  it.each(Object.keys(configSchema.shape))('shows every key of %s', (section) => {
    const inSection = keys.filter(({ path }) => path.startsWith(section));
    for (const { path } of inSection) {
      expect(shipped).toContain(`${path.split(/[.\]]/).at(-1)}:`);
    }
  });
});

describe('docs/configuration.md', () => {
  const rows = readFileSync('docs/configuration.md', 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  it.each(keys)('documents $path with its default', ({ path, node }) => {
    const [, , shownDefault] = rows.find((cells) => cells[1] === `\`${path}\``) ?? [];
    expect(shownDefault).toBeTruthy();
    const { default: value } = node;
    if (typeof value === 'number') expect(shownDefault).toBe(`${value}`);
    if (typeof value === 'string') expect(shownDefault).toBe(`\`${value}\``);
  });
});
