import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { scan } from '../../../src/simulate/scanner.js';
import { NodeProcess } from './node-process.js';
import { allTo, startPacs, temporaryFolder } from './node-rig.js';

const base = `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
`;

describe('a changed configuration', () => {
  it('counts on SIGHUP without a restart; a bad one leaves the old one in force', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const file = join(folder.path, 'vigil.yaml');
    await writeFile(file, base);
    await using node = await NodeProcess.start(file);

    const applied = node.logged('configuration applied');
    await writeFile(file, `${base}${allTo(pacs)}`);
    node.signal('SIGHUP');
    await applied;
    const refused = node.logged('changed configuration refused');
    await writeFile(file, `${base}routes: [{ name: wrong, send: { to: [nowhere] } }]\n`);
    node.signal('SIGHUP');
    await refused;

    const received = new Promise((resolve) => pacs.once('received', resolve));
    const { localizer } = headPhantomStudy({ seed: 3 });
    await scan({ host: '127.0.0.1', port: node.port, calledAeTitle: 'VIGIL' }, [localizer.part10]);
    await expect(received).resolves.toMatchObject({ callingAeTitle: 'VIGIL' });
  });
});
