import { suggestion } from './config/problems.js';
import type { DestinationSettings } from './config/settings.js';
import type { Peer } from './deliver/association.js';
import { readCredentials } from './tls/credentials.js';

/** What to say of a destination that the configuration does not have. */
export function noDestination(name: string, known: readonly string[]): string {
  const hint = suggestion(name, known) ?? 'it names none';
  return `The configuration names no destination "${name}": ${hint}`;
}

/** A destination as it is called. @throws CredentialsError where its TLS files cannot be used */
export async function peerOf({ tls, ...destination }: DestinationSettings): Promise<Peer> {
  if (tls === undefined) return destination;
  const credentials = await readCredentials(tls.files, Date.now());
  return { ...destination, tls: { serverName: tls.serverName, credentials: () => credentials } };
}
