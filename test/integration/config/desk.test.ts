import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ConfigError } from '../../../src/config/problems.js';
import { ConfigDesk } from '../../../src/config-desk.js';
import { ConfigVersions } from '../../../src/config-versions.js';
import { type Catalog, openCatalog } from '../../../src/store/database.js';
import { SeriesStore } from '../../../src/store/series-store.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { temporaryFolder } from '../node/node-rig.js';

const rules = (outcome: string) => `# the night shift's
destinations: { pacs: { aeTitle: PACS, host: pacs.example, port: 104 } }
routes: [{ name: bleeds, when: { outcome: ${outcome} }, send: { to: [pacs] } }]
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;
let file: string;
let desk: ConfigDesk;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'vigil.yaml');
  await writeFile(file, rules('positive'));
  const versions = new ConfigVersions(file, {});
  let loaded = await loadSettings(file, {});
  versions.noteInForce(loaded, 'start');
  catalog = openCatalog(join(folder.path, 'catalog.db'));
  desk = new ConfigDesk({
    versions,
    reload: async () => {
      loaded = await loadSettings(file, {});
      versions.noteInForce(loaded, 'file');
    },
    settings: () => loaded.settings,
    status: new StatusStore(catalog),
    series: new SeriesStore(catalog, folder.path),
  });
});
afterEach(async () => {
  catalog.close();
  await folder[Symbol.asyncDispose]();
});

describe('the configuration over the API', () => {
  it('is what the file holds, with its version, and says whether that is in force', async () => {
    expect(await desk.current()).toMatchObject({
      text: rules('positive'),
      number: 1,
      inForce: true,
      problems: [],
    });
    await writeFile(file, rules('positve'));
    expect(await desk.current()).toMatchObject({
      text: rules('positve'),
      number: null,
      inForce: false,
      problems: [{ path: 'routes[0].when.outcome', line: 3 }],
    });
  });

  it('is checked, compared and tried before it counts', async () => {
    const { problems, warnings } = await desk.validate(rules('negative'));
    expect([problems, warnings.map(({ path }) => path)]).toEqual([[], ['routes']]);
    expect(await desk.diff(rules('negative'))).toEqual({
      changes: [{ route: 'bleeds', change: 'changed', parts: ['when'] }],
    });
    expect(await desk.replay(rules('negative'), 7)).toEqual({ studies: 0, rerouted: [] });
    await expect(desk.diff(rules('x'))).rejects.toThrow(ConfigError);
    expect(await readFile(file, 'utf8')).toBe(rules('positive'));
  });

  it('is applied in the name of an account, in force when that is answered, and rolled back', async () => {
    const { version } = await desk.current();
    const applied = await desk.apply(rules('[positive, failed]'), version, 'alice', 'failed too');
    expect(applied).toMatchObject({ number: 2, changed: true, inForce: true, restartNeeded: [] });
    const late = desk.apply(rules('failed'), version, 'bob', 'only those');
    await expect(late).rejects.toMatchObject({ since: [{ version: 2, who: 'alice' }] });
    expect(await desk.rollback('1', 'bob', 'too many')).toMatchObject({ number: 3, version });
    expect(await readFile(file, 'utf8')).toBe(rules('positive'));
    const { versions, next } = await desk.history(2);
    expect(versions).toMatchObject([
      { number: 3, who: 'bob', how: 'api', rollbackTo: 1, reason: 'too many' },
      { number: 2, who: 'alice', how: 'api', rollbackTo: null, reason: 'failed too' },
    ]);
    expect((await desk.history(2, next ?? 0)).versions).toMatchObject([{ number: 1 }]);
    expect((await desk.version(2)).text).toBe(rules('[positive, failed]'));
  });
});
