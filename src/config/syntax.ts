import { isIP } from 'node:net';

/**
 * Application Entity title, VR AE (PS3.5 Table 6.2-1): up to 16 characters of the default repertoire without backslash
 * and control characters. Spaces at the ends have no meaning there, so none is taken here.
 */
export const AE_TITLE = /^(?! )[\x20-\x5B\x5D-\x7E]{1,16}(?<! )$/;

/** Unique identifier, VR UI (PS3.5 9.1): numbers joined by dots, without leading zeros, up to 64 characters. */
export const UID = /^(?=.{1,64}$)(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+$/;

/** Host name (RFC 1123) or IPv4 or IPv6 address, as far as a pattern can tell. */
export const HOST = /^(?=.{1,253}$)[A-Za-z0-9:](?:[A-Za-z0-9.:_-]*[A-Za-z0-9:])?$/;

/** Whether a host, as a configuration or a URL writes it, is this machine: between its processes nobody listens. */
export const isThisMachine = (host: string) => /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);

/** Name of a destination or route: also part of a metric's label and of environment variables. */
export const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** Whether the text is an IPv4 or IPv6 address, alone or with the length of its network prefix (RFC 4632). */
export function isAddressRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

/** What keeps a text from being the reason of a change; undefined where nothing does. */
export function reasonProblem(text: string): string | undefined {
  const { length } = text.trim();
  if (length < 3 || length > 500) return 'a reason has 3 to 500 characters';
  return /\p{Cc}/u.test(text.trim())
    ? 'a reason is one line, without control characters'
    : undefined;
}
