import { loadSettings } from '../config/load-settings.js';
import { checkDestination, type DestinationCheck } from '../destination-check.js';
import { StageError } from '../domain/failure.js';
import { noDestination, peerOf } from '../named-peer.js';
import { EXIT } from './exit-codes.js';
import { table } from './text.js';

/** `vigil check-destination <name>`: which objects the destination takes and how; nothing is sent to it. */
export async function runCheckDestination(options: {
  destination: string;
  config: string;
  json: boolean;
}): Promise<number> {
  const { destination } = options;
  const { settings } = await loadSettings(options.config);
  const found = settings.destinations.find(({ name }) => name === destination);
  if (found === undefined) {
    const names = settings.destinations.map(({ name }) => name);
    console.error(noDestination(destination, names));
    return EXIT.usage;
  }
  let check: Awaited<ReturnType<typeof checkDestination>>;
  try {
    check = await checkDestination(await peerOf(found), settings, destination);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { code, message } = error;
    if (options.json) console.log(JSON.stringify({ ok: false, code, message }));
    else console.error(`${destination} cannot be asked: ${message} (${code})`);
    return EXIT.failed;
  }
  if (options.json) console.log(JSON.stringify({ destination, ...check }));
  else console.log(describe(destination, check));
  return check.ok ? EXIT.done : EXIT.failed;
}

function describe(destination: string, { kinds, find }: DestinationCheck): string {
  const rows = kinds.map(({ kind, transferSyntaxes, routes, ok, advice }) => [
    kind,
    transferSyntaxes.length === 0 ? 'refused' : 'taken',
    transferSyntaxes.slice(0, 3).join(', ') + (transferSyntaxes.length > 3 ? ', …' : ''),
    routes.join(', ') || '-',
    [ok ? '' : 'SENT IN VAIN', advice ?? ''].filter(Boolean).join(': '),
  ]);
  const head = ['OBJECT', '', 'TRANSFER SYNTAXES', 'ROUTES', ''];
  const finds = `C-FIND (for verifyByFind): ${find.accepted ? 'taken' : 'refused'}`;
  return [
    `What ${destination} takes:`,
    table([head, ...rows]),
    `${finds}${find.advice === undefined ? '' : `. ${find.advice}`}`,
  ].join('\n');
}
