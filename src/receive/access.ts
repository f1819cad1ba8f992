import { BlockList, isIP } from 'node:net';
import type { PeerCertificate } from '../tls/peer-certificate.js';
import { type UserIdentity, UserIdentityType } from './pdu.js';
import { UserFile } from './user-file.js';

/** Who calls, by what cannot be chosen freely as an AE title can, and whether it waits for an answer. */
export interface Caller {
  readonly address: string;
  /** That it showed over TLS; it leads to a trusted authority. */
  readonly certificate?: PeerCertificate | undefined;
  readonly userIdentity?: UserIdentity | undefined;
  /** Whether it is still there to be answered. */
  readonly isWaiting: () => boolean;
}

/** One AE title that may call, and what else must hold for it. */
export interface AccessRule {
  readonly callingAeTitle: string;
  /** IP addresses and CIDR blocks. */
  readonly from: 'any' | readonly string[];
  /** Names in the certificate, or its SHA-256 fingerprint in hex, with or without colons. */
  readonly certificate: 'any' | readonly string[];
  /** A file with the users of whom one must be stated by user identity negotiation (PS3.7 D.3.3.7). */
  readonly users: 'any' | string;
}

/** The condition that fails where no rule lets the caller in. */
export type AccessFailure =
  | 'callingAeTitle'
  | 'from'
  | 'certificate'
  | 'user-missing'
  | 'user-type'
  | 'user';

/** `identified` where a rule asks for a user, and it is one. */
export type Admission = AccessFailure | 'admitted' | 'identified';

/** Rules by calling AE title: all that one of them says must hold, and any of an AE title's rules is enough. */
export class AccessRules {
  readonly #rules: readonly Rule[];

  /** @throws RangeError where a source address is neither an IP address nor a CIDR block */
  constructor(rules: readonly AccessRule[]) {
    this.#rules = rules.map((rule) => ({
      ...rule,
      sources: new AddressList(rule.from),
      userFile: rule.users === 'any' ? undefined : new UserFile(rule.users),
    }));
  }

  /** Without a promise where no user has to be looked up. Rejects with a UserFileError. */
  judge(callingAeTitle: string, caller: Caller): Admission | Promise<Admission> {
    const { address, certificate } = caller;
    const titled = this.#rules.filter((rule) => rule.callingAeTitle === callingAeTitle);
    if (titled.length === 0) return 'callingAeTitle';
    const placed = titled.filter(({ sources }) => sources.has(address));
    if (placed.length === 0) return 'from';
    const shown = placed.filter((rule) => fits(rule, certificate));
    if (shown.length === 0) return 'certificate';
    const userFiles = shown.flatMap(({ userFile }) => userFile ?? []);
    return userFiles.length < shown.length ? 'admitted' : identify(userFiles, caller);
  }
}

type Rule = AccessRule & {
  readonly sources: AddressList;
  readonly userFile: UserFile | undefined;
};

async function identify(
  userFiles: readonly UserFile[],
  { userIdentity, isWaiting }: Caller,
): Promise<Admission> {
  if (userIdentity === undefined) return 'user-missing';
  if (!CHECKED_TYPES.includes(userIdentity.type)) return 'user-type';
  for (const users of userFiles) {
    if (await users.has(userIdentity, isWaiting)) return 'identified';
  }
  return 'user';
}

const CHECKED_TYPES: readonly number[] = Object.values(UserIdentityType);

/** IP addresses and CIDR blocks. */
export class AddressList {
  readonly #list: BlockList | undefined;

  /** @throws RangeError where one is neither an IP address nor a CIDR block */
  constructor(addresses: 'any' | readonly string[]) {
    this.#list = addresses === 'any' ? undefined : blockList(addresses);
  }

  has(remoteAddress: string): boolean {
    if (this.#list === undefined) return true;
    // A socket that listens on :: shows IPv4 peers as mapped addresses.
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }
}

function fits(rule: AccessRule, certificate: PeerCertificate | undefined): boolean {
  if (rule.certificate === 'any') return true;
  if (certificate === undefined) return false;
  const names = certificate.names.map((name) => name.toLowerCase());
  return rule.certificate.some((text) => {
    const wanted = text.toLowerCase();
    const fingerprint = wanted.replaceAll(':', '');
    // A name that looks like a fingerprint must not pass for one.
    if (/^[0-9a-f]{64}$/.test(fingerprint)) return fingerprint === certificate.sha256;
    return names.includes(wanted);
  });
}

function blockList(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of addresses) {
    const [address = '', prefix] = text.split('/');
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (version === 0 || prefix === '' || !Number.isInteger(bits) || bits < 0 || bits > longest) {
      throw new RangeError(`${text} is neither an IP address nor a CIDR block`);
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
