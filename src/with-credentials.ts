import type { PeerSettings } from './config/settings.js';
import type { PeerTls } from './deliver/association.js';
import type { Credentials } from './tls/credentials.js';

/** A peer as the configuration names it, with what to speak TLS with it where it is to be spoken. */
export function withCredentials<Settings extends PeerSettings>(
  settings: Settings,
  credentials: (name: string) => Credentials,
): Omit<Settings, 'tls'> & { readonly tls?: PeerTls } {
  const { tls, ...rest } = settings;
  if (tls === undefined) return rest;
  const { serverName } = tls;
  return { ...rest, tls: { serverName, credentials: () => credentials(settings.name) } };
}
