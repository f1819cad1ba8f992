import type { Peer } from '../deliver/association.js';

/** What we call ourselves where the command line does not say. */
const DEFAULT_CALLING_AE_TITLE = 'VIGIL';

/** An AE title: up to 16 characters without backslash and control characters, not only spaces (PS3.5 6.2). */
const AE_TITLE = /^(?=.*[^ ])[ -[\]-~]{1,16}$/;
const TARGET = /^(?<aeTitle>[^@]+)@(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/;

/** A peer from `AET@host:port`, an IPv6 address in brackets, or undefined where the text is none. */
export function parsePeer(
  text: string,
  callingAeTitle = DEFAULT_CALLING_AE_TITLE,
): Peer | undefined {
  const groups = TARGET.exec(text)?.groups;
  const { aeTitle, v6, host = v6, port } = groups ?? {};
  if (aeTitle === undefined || host === undefined) return undefined;
  if (!AE_TITLE.test(aeTitle) || !AE_TITLE.test(callingAeTitle)) return undefined;
  const number = Number(port);
  if (number < 1 || number > 65_535) return undefined;
  return { aeTitle: aeTitle.trim(), host, port: number, callingAeTitle: callingAeTitle.trim() };
}

export const PEER_HINT = 'Give the peer as AET@host:port, AE titles with 16 characters at most';
