import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { PASSCODE, writeUserFile } from '../../fixtures/users.js';
import { temporaryFolder, writeObject } from '../../integration/deliver/objects.js';
import { CT, EXPLICIT } from '../../integration/receive/raw-scu.js';
import { ReceiveRig, slice } from '../../integration/receive/receive-rig.js';
import { freePort, startServer } from '../servers.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);

describe.runIf(requireTools('storescu', 'storescp'))('DCMTK with users', () => {
  it('storescu gets in with the right passcode, and not with a wrong one or none', async () => {
    await using folder = await temporaryFolder();
    const users = await writeUserFile(folder.path);
    await using rig = await ReceiveRig.start({
      access: [{ callingAeTitle: 'CT1', from: 'any', certificate: 'any', users }],
    });
    const instance = { sopClassUid: CT, sopInstanceUid: '1.2.3.4.5', transferSyntaxUid: EXPLICIT };
    const file = join(folder.path, 'slice.dcm');
    await writeFile(file, Buffer.concat([encodeFileMeta(instance), slice('1.2.3.4.5')]));
    const send = (...user: readonly string[]) =>
      run('storescu', ['-v', ...user, '-aet', 'CT1', '127.0.0.1', String(rig.port), file]);

    const received = rig.told('received');
    await send('--user', 'ct1', '--password', PASSCODE, '--pos-response');
    expect((await received)[0].header.sopInstanceUid).toBe('1.2.3.4.5');
    await send('--user', 'bare', '--pos-response');
    const ticket = join(folder.path, 'ticket');
    await writeFile(ticket, 'ticket');
    for (const user of [
      ['--user', 'ct1', '--password', 'guess'],
      ['--user', 'ct1', '--empty-password'],
      ['--user', 'ct1'],
      ['--user', 'ct2', '--password', PASSCODE],
      ['--kerberos', ticket],
      ['--saml', ticket],
      ['--jwt', ticket],
      [],
    ]) {
      await expect(send(...user)).rejects.toMatchObject({
        stderr: expect.stringMatching(
          /Result: Rejected Permanent, Source: Service Provider \(ACSE/,
        ),
      });
    }
  });

  it('storescp reads the user that a destination is told of', async () => {
    await using folder = await temporaryFolder();
    const passcodeFile = join(folder.path, 'passcode');
    await writeFile(passcodeFile, PASSCODE);
    const port = await freePort();
    const log = join(folder.path, 'log');
    const command = `exec storescp -d -od ${folder.path} ${port} 2> ${log}`;
    await using _server = await startServer('sh', ['-c', command], port);
    const peer = { aeTitle: 'PACS', callingAeTitle: 'VIGIL', host: '127.0.0.1', port };
    const user = { name: 'vigil-user', passcodeFile, mustConfirm: false };
    const results = await sendObjects({ ...peer, user }, [await writeObject(folder.path, 1)]);
    expect(results).toEqual([{ type: 'stored', status: 0 }]);
    const said = await readFile(log, 'utf8');
    expect(said).toMatch(/User Identity Negotiation.*vigil-user/s);
  });
});
