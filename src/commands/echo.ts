import { echo } from '../deliver/echo-scu.js';
import { StageError } from '../domain/failure.js';
import { EXIT } from './exit-codes.js';
import { PEER_HINT, parsePeer } from './peer-argument.js';

/** `vigil echo AET@host:port`: whether the peer is there and takes us. */
export async function runEcho(options: {
  to: string;
  calling?: string | undefined;
  json: boolean;
}): Promise<number> {
  const peer = parsePeer(options.to, options.calling);
  if (peer === undefined) {
    console.error(PEER_HINT);
    return EXIT.usage;
  }
  const name = `${peer.aeTitle} at ${peer.host}:${peer.port}`;
  try {
    const { roundTripMs, totalMs } = await echo(peer);
    if (options.json) console.log(JSON.stringify({ ok: true, roundTripMs, totalMs }));
    else
      console.log(
        `${name} answered in ${roundTripMs.toFixed(1)} ms (${totalMs.toFixed(0)} ms in all)`,
      );
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { code, message } = error;
    if (options.json) console.log(JSON.stringify({ ok: false, code, message }));
    else console.error(`${name} did not answer: ${message} (${code})`);
    return EXIT.failed;
  }
}
