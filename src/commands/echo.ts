import { loadSettings } from '../config/load-settings.js';
import type { Peer } from '../deliver/association.js';
import { echo } from '../deliver/echo-scu.js';
import { StageError } from '../domain/failure.js';
import { noDestination, peerOf } from '../named-peer.js';
import { EXIT } from './exit-codes.js';
import { PEER_HINT, parsePeer } from './peer-argument.js';

export interface EchoOptions {
  /** Name of a destination, or a peer as `to` has it. */
  readonly destination?: string | undefined;
  readonly to?: string | undefined;
  readonly calling?: string | undefined;
  readonly config: string;
  readonly json: boolean;
}

/** `vigil echo <destination>`, `vigil echo AET@host:port`: whether the peer is there and takes us. */
export async function runEcho(options: EchoOptions): Promise<number> {
  const peer = await findPeer(options);
  if (typeof peer === 'string') {
    console.error(peer);
    return EXIT.usage;
  }
  const name = `${peer.aeTitle} at ${peer.host}:${peer.port}`;
  try {
    const times = await echo(peer);
    if (options.json) console.log(JSON.stringify({ ok: true, ...times }));
    else {
      const { connectMs, associateMs, roundTripMs, totalMs } = times;
      console.log(
        `${name} answered in ${roundTripMs.toFixed(1)} ms (connection ${connectMs.toFixed(1)} ms, association ${associateMs.toFixed(1)} ms, ${totalMs.toFixed(0)} ms in all)`,
      );
    }
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { code, message } = error;
    if (options.json) console.log(JSON.stringify({ ok: false, code, message }));
    else console.error(`${name} did not answer: ${message} (${code})`);
    return EXIT.failed;
  }
}

/** The peer, or what is wrong with what was given. */
async function findPeer(options: EchoOptions): Promise<Peer | string> {
  const { destination, to, calling } = options;
  const address = to ?? (destination?.includes('@') ? destination : undefined);
  if (address !== undefined) return parsePeer(address, calling) ?? PEER_HINT;
  if (destination === undefined) {
    return 'Say whom to ask: the name of a destination, or AET@host:port';
  }
  const { settings } = await loadSettings(options.config);
  const found = settings.destinations.find(({ name }) => name === destination);
  if (found === undefined) {
    return noDestination(
      destination,
      settings.destinations.map(({ name }) => name),
    );
  }
  return peerOf(calling === undefined ? found : { ...found, callingAeTitle: calling });
}
