import { once } from 'node:events';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { decodeDataset } from '../../../src/dicom/source-dataset.js';
import { Status } from '../../../src/dicom/status.js';
import { CommandElement, readCommand } from '../../../src/receive/dimse.js';
import { freePort } from '../../interop/servers.js';
import { CT, EXPLICIT, type RawScu, releaseRq } from '../receive/raw-scu.js';
import { slice } from '../receive/receive-rig.js';
import {
  actionCommand,
  associated,
  COMMITMENT_CONTEXT,
  datasetPdus,
  nCommand,
  type Reference,
  requestCommitment,
  requestDataset,
  ScannerListener,
} from './commitment-peers.js';
import { settingsIn, startNode, temporaryFolder } from './node-rig.js';

const UIDS = ['1.2.3.4.11', '1.2.3.4.12', '1.2.3.4.13'] as const;
const REFERENCES: Reference[] = UIDS.map((uid) => [CT, uid]);
const STUDY = '1.2.3';

const scannerAt = (port: number) => `
completeness: { likelySeconds: 60, unknownSeconds: 60 }
scanners:
  ct1: { aeTitle: CT1, host: 127.0.0.1, port: ${port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
`;

async function store(scu: RawScu, uids: readonly string[] = UIDS): Promise<void> {
  for (const uid of uids) {
    scu.store(uid, slice(uid));
    expect((await scu.response()).status).toBe(Status.Success);
  }
}

async function release(scu: RawScu): Promise<void> {
  scu.send(releaseRq);
  expect((await scu.next())?.type).toBe(6);
}

const commitmentsOf = (app: App) => app.status.study(STUDY)?.commitments;

describe('storage commitment for scanners', () => {
  it('is reported on the association of the request while it is open', async () => {
    await using folder = await temporaryFolder();
    await using app = await startNode(settingsIn(folder.path, scannerAt(1)));
    await using scu = await associated(app.ports.dicom);
    await store(scu);
    expect(await requestCommitment(scu, '1.9.1', REFERENCES)).toBe(Status.Success);

    const command = readCommand((await scu.next())?.body.subarray(6) ?? Buffer.alloc(0));
    const information = decodeDataset(
      (await scu.next())?.body.subarray(6) ?? Buffer.alloc(0),
      EXPLICIT,
    );

    expect(command.number(CommandElement.CommandField)).toBe(0x0100);
    expect(command.number(CommandElement.EventTypeId)).toBe(1);
    expect(information.text('TransactionUID')).toBe('1.9.1');
    const committed = information.items('ReferencedSOPSequence');
    expect(committed.map((item) => item.text('ReferencedSOPInstanceUID'))).toEqual(UIDS);
    scu.send(
      nCommand([
        [0x00000100, 'US', 0x8100],
        [0x00000120, 'US', command.required(CommandElement.MessageId)],
        [0x00000800, 'US', 0x0101],
        [0x00000900, 'US', 0],
      ]),
    );
    await release(scu);
    await expect
      .poll(() => commitmentsOf(app))
      .toMatchObject([{ transactionUid: '1.9.1', state: 'reported', instances: 3, failed: 0 }]);
  });

  it('is reported to the configured address once the association is over', async () => {
    await using folder = await temporaryFolder();
    await using scanner = await ScannerListener.start();
    await using app = await startNode(settingsIn(folder.path, scannerAt(scanner.port)));
    await using scu = await associated(app.ports.dicom);
    await store(scu);
    const reported = once(scanner, 'report');
    expect(await requestCommitment(scu, '1.9.2', REFERENCES)).toBe(Status.Success);
    await release(scu);
    expect((await reported)[0]).toEqual({
      eventTypeId: 1,
      transactionUid: '1.9.2',
      committed: UIDS,
      failed: {},
    });
  });

  it('says of each instance why not: unknown, of another class, not as it was received', async () => {
    await using folder = await temporaryFolder();
    await using scanner = await ScannerListener.start();
    await using app = await startNode(settingsIn(folder.path, scannerAt(scanner.port)));
    await using scu = await associated(app.ports.dicom);
    await store(scu);
    const reported = once(scanner, 'report');
    const [whole, cut, other] = UIDS;
    const damaged = join(folder.path, 'data/instances/1.2.3/1.2.3.4', `${cut}.dcm`);
    const request: Reference[] = [
      [CT, whole],
      [CT, cut],
      ['1.2.840.10008.5.1.4.1.1.4', other],
      [CT, '1.2.3.4.99'],
    ];
    expect(await requestCommitment(scu, '1.9.3', request)).toBe(Status.Success);
    await truncate(damaged, 900);
    await release(scu);
    expect((await reported)[0]).toEqual({
      eventTypeId: 2,
      transactionUid: '1.9.3',
      committed: [whole],
      failed: { [cut]: 0x0110, [other]: 0x0119, '1.2.3.4.99': 0x0112 },
    });
  });

  it('has a series judged again that was taken for whole, where the list names more', async () => {
    await using folder = await temporaryFolder();
    const quick = scannerAt(1).replaceAll('Seconds: 60', 'Seconds: 0.1');
    await using app = await startNode(settingsIn(folder.path, quick));
    await using scu = await associated(app.ports.dicom);
    await store(scu, UIDS.slice(0, 2));
    const series = () => app.status.study(STUDY)?.series;
    await expect
      .poll(series, { timeout: 20_000 })
      .toMatchObject([{ state: 'complete', completionCode: 'association-open' }]);
    expect(await requestCommitment(scu, '1.9.9', REFERENCES)).toBe(Status.Success);
    await expect
      .poll(series, { timeout: 20_000 })
      .toMatchObject([
        { state: 'complete', completionCode: 'listed-missing', confidence: 'unknown' },
      ]);
  });

  it.each([
    ['all that it names', UIDS, 'all-listed', 'proven'],
    ['less than it names', UIDS.slice(0, 2), 'listed-missing', 'unknown'],
  ])('is evidence of a whole series: %s is there', async (_, sent, code, confidence) => {
    await using folder = await temporaryFolder();
    const quick = scannerAt(1).replaceAll('Seconds: 60', 'Seconds: 3');
    await using app = await startNode(settingsIn(folder.path, quick));
    await using scu = await associated(app.ports.dicom);
    await store(scu, sent);
    expect(await requestCommitment(scu, '1.9.8', REFERENCES)).toBe(Status.Success);
    await release(scu);
    await expect
      .poll(() => app.status.study(STUDY)?.series, { timeout: 20_000 })
      .toMatchObject([{ state: 'complete', completionCode: code, confidence }]);
  });

  it('is reported after a restart, as often as the scanner does not take it', async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    const settings = settingsIn(folder.path, scannerAt(port));
    {
      await using app = await startNode(settings);
      await using scu = await associated(app.ports.dicom);
      await store(scu);
      expect(await requestCommitment(scu, '1.9.4', REFERENCES)).toBe(Status.Success);
      await release(scu);
      await expect
        .poll(() => commitmentsOf(app), { timeout: 5000 })
        .toMatchObject([{ state: 'due', failureCode: 'connection-refused' }]);
    }
    await using scanner = await ScannerListener.start(port);
    scanner.status = Status.ProcessingFailure;
    const refused = once(scanner, 'report');
    await using app = await startNode(settings);
    await refused;
    const reported = once(scanner, 'report');
    scanner.status = Status.Success;
    expect((await reported)[0]).toMatchObject({ transactionUid: '1.9.4', committed: UIDS });
    await expect.poll(() => commitmentsOf(app)).toMatchObject([{ state: 'reported' }]);
    expect(app.status.counts()).toMatchObject({ commitmentsDue: 0, commitmentsDead: 0 });
  });

  it('ends visibly where nobody of that AE title is configured', async () => {
    await using folder = await temporaryFolder();
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line) => lines.push(line) });
    await using app = await startNode(settingsIn(folder.path, scannerAt(1)), log);
    await using scu = await associated(app.ports.dicom, 'NOBODY');
    await store(scu);
    expect(await requestCommitment(scu, '1.9.5', REFERENCES)).toBe(Status.Success);
    await release(scu);
    await expect
      .poll(() => commitmentsOf(app), { timeout: 5000 })
      .toMatchObject([{ state: 'dead', failureCode: 'requestor-unknown' }]);
    expect(app.status.counts().commitmentsDead).toBe(1);
    expect(lines.join('')).toContain('no scanner of that AE title is configured');
  });

  it('knows a Transaction UID once: the same request again is fine, another is refused', async () => {
    await using folder = await temporaryFolder();
    await using scanner = await ScannerListener.start();
    await using app = await startNode(settingsIn(folder.path, scannerAt(scanner.port)));
    await using scu = await associated(app.ports.dicom);
    await store(scu);
    const ask = (references: Reference[]) => requestCommitment(scu, '1.9.6', references);
    expect(await ask(REFERENCES)).toBe(Status.Success);
    expect(await ask([...REFERENCES].reverse())).toBe(Status.Success);
    expect(await ask(REFERENCES.slice(1))).toBe(Status.DuplicateTransactionUid);
    await using other = await associated(app.ports.dicom, 'CT2');
    expect(await requestCommitment(other, '1.9.6', REFERENCES)).toBe(
      Status.DuplicateTransactionUid,
    );
  });

  it.each([
    ['another action', actionCommand([[0x00001008, 'US', 2]]), [], Status.NoSuchActionType],
    [
      'another instance than the well-known one',
      actionCommand([[0x00001001, 'UI', '1.2.3']]),
      [],
      Status.NoSuchObjectInstance,
    ],
    [
      'no Transaction UID',
      actionCommand(),
      requestDataset('', REFERENCES),
      Status.InvalidArgumentValue,
    ],
    ['no instances', actionCommand(), requestDataset('1.9.7', []), Status.InvalidArgumentValue],
    [
      'an instance that is no UID',
      actionCommand(),
      requestDataset('1.9.7', [[CT, '../../etc/passwd']]),
      Status.InvalidArgumentValue,
    ],
    [
      'more than is kept in memory',
      actionCommand(),
      [
        [0x00081195, 'UI', '1.9.7'] as const,
        [0x00420011, 'OB', new Uint8Array(5_000_000)] as const,
      ],
      Status.ResourceLimitation,
    ],
  ])('answers %s with its status', async (_, command, elements, status) => {
    await using folder = await temporaryFolder();
    await using app = await startNode(settingsIn(folder.path, scannerAt(1)));
    await using scu = await associated(app.ports.dicom);
    const body = elements.length > 0 ? elements : requestDataset('1.9.7', REFERENCES);
    scu.send(command, datasetPdus(body, COMMITMENT_CONTEXT.id));
    expect((await scu.response()).status).toBe(status);
    await release(scu);
  });
});
