import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { echo } from '../../../src/deliver/echo-scu.js';
import { type PacsOptions, SimulatedPacs } from '../../../src/simulate/pacs.js';
import { temporaryFolder } from './objects.js';

const VERIFICATION = '1.2.840.10008.1.1';

async function echoTo(options: Partial<PacsOptions>): ReturnType<typeof echo> {
  await using folder = await temporaryFolder();
  await using pacs = new SimulatedPacs({ folder: join(folder.path, 'pacs'), ...options });
  await pacs.start();
  const peer = { aeTitle: 'PACS', callingAeTitle: 'VIGIL', host: '127.0.0.1', port: pacs.port };
  return await echo(peer);
}

describe('echo', () => {
  it('measures the round trip', async () => {
    const { roundTripMs, totalMs } = await echoTo({});
    expect(roundTripMs).toBeGreaterThan(0);
    expect(totalMs).toBeGreaterThan(roundTripMs);
  });

  it('says why there was none', async () => {
    await expect(echoTo({ aeTitle: 'OTHER' })).rejects.toMatchObject({
      name: 'StageError',
      code: 'association-rejected',
      message: expect.stringContaining('called AE title not recognized'),
    });
    await expect(echoTo({ refusedSopClasses: [VERIFICATION] })).rejects.toMatchObject({
      code: 'verification-not-accepted',
    });
  });
});
