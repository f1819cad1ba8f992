import { SingleBar } from 'cli-progress';
import type { Peer } from '../deliver/association.js';
import { type OutgoingObject, sendObjects } from '../deliver/store-scu.js';
import type { SendResult } from '../domain/send-result.js';
import { EXIT } from './exit-codes.js';
import { findPart10 } from './find-part10.js';
import { PEER_HINT, parsePeer } from './peer-argument.js';
import { table } from './text.js';

/** What became of the objects: what the peer stored, and what not, by file. */
interface Sent {
  readonly results: readonly SendResult[];
  readonly ms: number;
}

/** `vigil send <files|folders> --to AET@host:port`: the objects go as they are, in the order of their names. */
export async function runSend(options: {
  paths: readonly string[];
  to: string;
  calling?: string | undefined;
  /** How many share the work; one by default. */
  associations?: number | undefined;
  json: boolean;
}): Promise<number> {
  const peer = parsePeer(options.to, options.calling);
  if (peer === undefined) {
    console.error(PEER_HINT);
    return EXIT.usage;
  }
  const found = await findPart10(options.paths).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    console.error(found.message);
    return EXIT.usage;
  }
  const { objects, skipped } = found;
  if (objects.length === 0) {
    console.error(`No DICOM file among ${skipped} files`);
    return EXIT.usage;
  }
  const showBar = !options.json && process.stderr.isTTY === true;
  const sent = await send(peer, objects, options.associations ?? 1, showBar);
  const failed = sent.results.some(({ type }) => type === 'failed');
  if (options.json) console.log(JSON.stringify(asJson(objects, sent, skipped)));
  else report(objects, sent, skipped);
  return failed ? EXIT.failed : EXIT.done;
}

async function send(
  peer: Peer,
  objects: readonly OutgoingObject[],
  associations: number,
  showBar: boolean,
): Promise<Sent> {
  const bar = new SingleBar({ format: '{bar} {value}/{total} objects, {eta_formatted} left' });
  if (showBar) bar.start(objects.length, 0);
  const begin = performance.now();
  const share = Math.ceil(objects.length / Math.max(1, associations));
  const parts: Promise<readonly SendResult[]>[] = [];
  for (let first = 0; first < objects.length; first += share) {
    const part = objects.slice(first, first + share);
    parts.push(sendObjects(peer, part, { onResult: () => bar.increment() }));
  }
  const results = (await Promise.all(parts)).flat();
  if (showBar) bar.stop();
  return { results, ms: performance.now() - begin };
}

function asJson(objects: readonly OutgoingObject[], { results, ms }: Sent, skipped: number) {
  const failures = results.flatMap((result, i) =>
    result.type === 'failed' ? [{ file: objects[i]?.file, ...result }] : [],
  );
  return {
    ok: failures.length === 0,
    stored: results.length - failures.length,
    failed: failures.length,
    skipped,
    ms: Math.round(ms),
    failures: failures.map(({ type: _, ...failure }) => failure),
  };
}

/** Failures of one kind would otherwise fill the screen. */
const SHOWN_FAILURES = 20;

function report(objects: readonly OutgoingObject[], { results, ms }: Sent, skipped: number): void {
  const stored = results.filter(({ type }) => type === 'stored');
  const warned = stored.filter(({ status }) => status !== 0).length;
  const rate = (stored.length / ms) * 1000;
  console.log(
    `${stored.length} of ${objects.length} objects stored in ${(ms / 1000).toFixed(1)} s (${rate.toFixed(0)} objects/s)` +
      (warned > 0 ? `, ${warned} with a warning` : '') +
      (skipped > 0 ? `; ${skipped} files are no DICOM` : ''),
  );
  const failures = results.flatMap((result, i) =>
    result.type === 'failed'
      ? [
          [
            objects[i]?.file ?? '',
            result.code,
            result.text + (result.comment === undefined ? '' : `: ${result.comment}`),
          ],
        ]
      : [],
  );
  if (failures.length === 0) return;
  console.error(table(failures.slice(0, SHOWN_FAILURES)));
  const more = failures.length - SHOWN_FAILURES;
  if (more > 0) console.error(`and ${more} more`);
}
