import type { Settings } from '../config/settings.js';

/** Opens the page that makes an account. The secret stands behind the #, which no browser sends: no proxy writes it down. */
export function setupLink({ admin }: Settings, secret: string, port = admin.port): string {
  const scheme = admin.tls === undefined ? 'http' : 'https';
  const host = admin.host.includes(':') ? `[${admin.host}]` : admin.host;
  const base = admin.url ?? `${scheme}://${host}:${port}`;
  return `${base.replace(/\/$/, '')}/setup#${secret}`;
}
