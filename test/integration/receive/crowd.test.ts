import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { TestAuthority } from '../../fixtures/certificates.js';
import { openHandles, untilReleased } from '../../fixtures/open-handles.js';
import { requireTools } from '../../interop/tools.js';
import { associateRqBody, pdu } from '../../unit/receive/pdu-bytes.js';
import { CT_CONTEXT, RawScu, releaseRq } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

const request = pdu(1, associateRqBody({ contexts: [CT_CONTEXT] }));

/** Peers that each send their association request a byte at a time, and come back when they are closed. */
class Crowd implements AsyncDisposable {
  readonly #peers = new Set<RawScu>();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #isOver = false;
  #lives: Promise<void>[] = [];

  private constructor() {
    this.#timer = setInterval(() => {
      const byte = request.subarray(this.#sent, this.#sent + 1);
      for (const { socket } of this.#peers) socket.write(byte);
      this.#sent = (this.#sent + 1) % 100;
    }, 100);
  }

  static async gather(port: number, size: number, from?: string): Promise<Crowd> {
    const crowd = new Crowd();
    const arrived: Promise<void>[] = [];
    for (let i = 0; i < size; i += 1) {
      arrived.push(new Promise((here) => crowd.#lives.push(crowd.#live(port, from, here))));
    }
    await Promise.all(arrived);
    return crowd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    for (const { socket } of this.#peers) socket.destroy();
    await Promise.all(this.#lives);
  }

  async #live(port: number, from: string | undefined, here: () => void): Promise<void> {
    while (!this.#isOver) {
      try {
        await using scu = await RawScu.connect(port, from);
        this.#peers.add(scu);
        here();
        await scu.closed();
        this.#peers.delete(scu);
      } catch {
        // Reset before it was connected: it comes back.
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function sendStudy(port: number, images: number): Promise<void> {
  await using scu = await RawScu.associated(port);
  for (let i = 1; i <= images; i += 1) {
    scu.store(`1.2.${i}`, slice(`1.2.${i}`));
    expect((await scu.response()).status).toBe(0);
  }
  scu.send(releaseRq);
  expect((await scu.next())?.type).toBe(6);
}

describe('500 connections that send a byte at a time', () => {
  it.each([
    ['of one other address', '127.0.0.2'],
    ["of the scanner's own address", '127.0.0.1'],
  ])('%s, do not keep a scanner out', async (_, from) => {
    await using rig = await ReceiveRig.start({ maximumConnections: 100, artimMs: 2000 });
    const before = openHandles(rig.folder);
    {
      await using _crowd = await Crowd.gather(rig.port, 500, from);
      for (let study = 0; study < 10; study += 1) await sendStudy(rig.port, 5);
    }
    await untilReleased(rig.folder, before);
    expect(rig.errors).toEqual([]);
  });
});

describe('too many connections', () => {
  it('cost the oldest without an association, of the address that has most', async () => {
    await using rig = await ReceiveRig.start({ maximumConnections: 4 });
    await using associated = await RawScu.associated(rig.port, {});
    await using lonely = await RawScu.connect(rig.port, '127.0.0.3');
    await using oldest = await RawScu.connect(rig.port, '127.0.0.2');
    await using older = await RawScu.connect(rig.port, '127.0.0.2');
    const dropped = rig.told('dropped');
    await using newest = await RawScu.associated(rig.port);
    await dropped;
    await oldest.closed();
    for (const scu of [lonely, older]) {
      expect((await scu.associate())?.type).toBe(2);
    }
    for (const scu of [associated, lonely, older, newest]) {
      scu.send(releaseRq);
      expect((await scu.next())?.type).toBe(6);
    }
  });

  it('cost the new one where all have an association', async () => {
    await using rig = await ReceiveRig.start({ maximumConnections: 2 });
    await using first = await RawScu.associated(rig.port);
    await using second = await RawScu.associated(rig.port);
    await using third = await RawScu.connect(rig.port);
    await third.closed();
    for (const scu of [first, second]) {
      scu.send(releaseRq);
      expect((await scu.next())?.type).toBe(6);
    }
  });

  it('are no more for one that was released', async () => {
    await using rig = await ReceiveRig.start({ maximumConnections: 1 });
    await using first = await RawScu.associated(rig.port);
    first.send(releaseRq);
    expect((await first.next())?.type).toBe(6);
    await using second = await RawScu.associated(rig.port);
    second.send(releaseRq);
    expect((await second.next())?.type).toBe(6);
  });

  it('of one address leave associations for the others', async () => {
    await using rig = await ReceiveRig.start({ maximumAssociationsPerAddress: 1 });
    await using first = await RawScu.associated(rig.port);
    await using again = await RawScu.connect(rig.port);
    const answer = await again.associate();
    expect([answer?.type, ...(answer?.body ?? [])]).toEqual([3, 0, 2, 3, 2]);
    await using other = await RawScu.connect(rig.port, '127.0.0.2');
    expect((await other.associate())?.type).toBe(2);
    first.send(releaseRq);
    await first.next();
    await using third = await RawScu.associated(rig.port);
    third.send(releaseRq);
  });
});

describe.runIf(requireTools('openssl'))('connections within a TLS handshake', () => {
  it('count, and go for one that comes to speak DICOM, without a word about their peer', async () => {
    await using authority = await TestAuthority.create();
    const credentials = await authority.credentials({ name: 'vigil' });
    const { ca, cert = '', key = '' } = await authority.credentials({ name: 'ct1' });
    const tls = {
      host: '127.0.0.1',
      port: 0,
      clientCertificate: 'required' as const,
      credentials: () => credentials,
    };
    await using rig = await ReceiveRig.start({ tls, maximumConnections: 2 });
    const refused: string[] = [];
    rig.on('connectionRefused', ({ code }) => refused.push(code));
    const before = openHandles(rig.folder);
    await using first = await RawScu.connect(rig.scp.tlsPort);
    await using second = await RawScu.connect(rig.scp.tlsPort);
    const socket = connectTls({ port: rig.scp.tlsPort, host: '127.0.0.1', ca, cert, key });
    await once(socket, 'secureConnect');
    await first.closed();
    socket.write(request);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer[0]).toBe(2);
    await using third = await RawScu.connect(rig.port);
    await second.closed();
    socket.destroy();
    await once(socket, 'close');
    third.socket.destroy();
    await untilReleased(rig.folder, before);
    expect(refused).toEqual([]);
  });
});
