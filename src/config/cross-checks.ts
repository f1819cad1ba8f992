import type { Fault } from './problems.js';
import { type KnownNames, routedTargets, routeFaults, routeWarnings } from './routing-checks.js';
import type { ConfigFile } from './schema.js';
import { isThisMachine } from './syntax.js';

/**
 * Faults that no key has alone: references that lead nowhere, orders that contradict each other. Sections that are
 * faulty by themselves are absent; `written` has them all, as the file does.
 */
export function crossCheck(
  sections: Partial<ConfigFile>,
  written: Readonly<Record<string, unknown>>,
  known: KnownNames,
): Fault[] {
  const {
    completeness,
    destinations = {},
    scanners = {},
    channels = {},
    node,
    receive,
    admin,
  } = sections;
  return [
    ...(node && receive ? portFaults(node, receive) : []),
    ...routeFaults(written, known),
    ...sharedNames(known),
    ...(completeness === undefined ? [] : waitFaults(completeness)),
    ...retryFaults('destinations', destinations),
    ...retryFaults('scanners', scanners),
    ...retryFaults('channels', channels),
    ...titleFaults(scanners),
    ...proofFaults(destinations),
    ...(admin === undefined ? [] : [...exposureFaults(admin), ...oidcFaults(admin)]),
  ];
}

function oidcFaults({ oidc, url }: ConfigFile['admin']): Fault[] {
  if (oidc === undefined) return [];
  const faults: Fault[] = [];
  if (url === undefined) {
    const hint = 'the identity provider sends browsers back there';
    faults.push({ keys: ['admin', 'oidc'], message: 'needs admin.url', hint });
  }
  const { hostname, protocol } = new URL(oidc.issuer);
  if (protocol === 'http:' && !isThisMachine(hostname)) {
    const message = 'has no https: who listens could sign in as anybody';
    faults.push({ keys: ['admin', 'oidc', 'issuer'], message });
  }
  if (Object.values(oidc.roles).every((values) => (values ?? []).length === 0)) {
    const message = 'gives nobody a role: nobody could sign in';
    faults.push({ keys: ['admin', 'oidc', 'roles'], message });
  }
  return faults;
}

function portFaults(node: ConfigFile['node'], receive: ConfigFile['receive']): Fault[] {
  const { tls } = receive;
  if (!receive.plain && tls === undefined) {
    const keys = ['receive', 'plain'];
    return [{ keys, message: 'is false, and there is no receive.tls: nothing could be received' }];
  }
  if (!receive.plain || tls === undefined || tls.port === 0 || tls.port !== node.port) return [];
  const hint = 'plain DICOM and TLS need a port each; 2762 is the one for TLS';
  return [{ keys: ['receive', 'tls', 'port'], message: `is ${tls.port}, as node.port is`, hint }];
}

function waitFaults(completeness: ConfigFile['completeness']): Fault[] {
  const { likelySeconds, unknownSeconds, capSeconds, lateFirstSeconds, lateLongestSeconds } =
    completeness;
  const faults: Fault[] = [];
  if (likelySeconds > unknownSeconds) {
    const message = `is ${likelySeconds}, longer than unknownSeconds (${unknownSeconds})`;
    const hint = 'the surer Vigil is that a series is whole, the shorter the wait';
    faults.push({ keys: ['completeness', 'likelySeconds'], message, hint });
  }
  if (unknownSeconds > capSeconds) {
    const message = `is ${capSeconds}, shorter than unknownSeconds (${unknownSeconds})`;
    faults.push({ keys: ['completeness', 'capSeconds'], message });
  }
  if (lateFirstSeconds > lateLongestSeconds) {
    const message = `is ${lateLongestSeconds}, shorter than lateFirstSeconds (${lateFirstSeconds})`;
    faults.push({ keys: ['completeness', 'lateLongestSeconds'], message });
  }
  return faults;
}

/** Deliveries know their target by its name alone. */
function sharedNames({ destinations, channels }: KnownNames): Fault[] {
  return channels
    .filter((name) => destinations.includes(name))
    .map((name) => ({
      keys: ['channels', name],
      atKey: true,
      message: 'is also the name of a destination',
    }));
}

type Retries = Readonly<Record<string, { retryFirstSeconds: number; retryLongestSeconds: number }>>;

function retryFaults(section: 'destinations' | 'scanners' | 'channels', peers: Retries): Fault[] {
  return Object.entries(peers)
    .filter(([, { retryFirstSeconds, retryLongestSeconds }]) => {
      return retryFirstSeconds > retryLongestSeconds;
    })
    .map(([name, { retryFirstSeconds, retryLongestSeconds }]) => ({
      keys: [section, name, 'retryLongestSeconds'],
      message: `is ${retryLongestSeconds}, shorter than retryFirstSeconds (${retryFirstSeconds})`,
    }));
}

function proofFaults(destinations: ConfigFile['destinations']): Fault[] {
  return Object.entries(destinations)
    .filter(([, { verifyByFind, verifyByCommitment }]) => verifyByFind && verifyByCommitment)
    .map(([name]) => ({
      keys: ['destinations', name, 'verifyByFind'],
      message: 'is true, and verifyByCommitment is too',
      hint: 'commitment says more: leave verifyByFind out',
    }));
}

/** Passwords and patient data go over no network in the clear. */
function exposureFaults({ host, console, tls, behindProxy }: ConfigFile['admin']): Fault[] {
  if (!console || tls !== undefined || behindProxy !== undefined) return [];
  if (isThisMachine(host)) return [];
  const message = `is "${host}", beyond this machine, and there is neither admin.tls nor admin.behindProxy`;
  const hint = 'give one of them, or console: false for health and metrics alone';
  return [{ keys: ['admin', 'host'], message, hint }];
}

/** A scanner is found by the AE title that it calls with. */
function titleFaults(scanners: ConfigFile['scanners']): Fault[] {
  const names = new Map<string, string>();
  return Object.entries(scanners).flatMap(([name, { aeTitle }]) => {
    const other = names.get(aeTitle);
    names.set(aeTitle, name);
    if (other === undefined) return [];
    const message = `is "${aeTitle}", as that of scanner "${other}" is`;
    return [{ keys: ['scanners', name, 'aeTitle'], message }];
  });
}

/** Passcodes that anyone on the network can read. */
function passcodeWarnings(config: ConfigFile): Fault[] {
  const { access, plain } = config.receive;
  const rules = access === 'any' ? [] : [...access.entries()];
  const asking = plain ? rules.filter(([, { users }]) => users !== 'any') : [];
  return [
    ...asking.map(([index]) => ({
      keys: ['receive', 'access', index, 'users'],
      message: 'asks for passcodes, and receive.plain lets them come without encryption',
      hint: 'set receive.plain to false, and receive.tls',
    })),
    ...(['destinations', 'scanners'] as const).flatMap((section) =>
      Object.entries(config[section])
        .filter(([, { user, tls }]) => user?.passcodeFile !== undefined && tls === undefined)
        .map(([name]) => ({
          keys: [section, name, 'user', 'passcodeFile'],
          message: 'is sent without encryption',
          hint: 'set tls for it',
        })),
    ),
  ];
}

/** As common as plain DICOM is, so that it is no fault. */
function plainMessageWarnings({ channels }: ConfigFile): Fault[] {
  return Object.entries(channels)
    .filter(([, { hl7 }]) => hl7?.patientData && !hl7.tls && !isThisMachine(hl7.host))
    .map(([name]) => ({
      keys: ['channels', name, 'hl7', 'patientData'],
      message: 'goes over the network without encryption',
      hint: 'set tls for it, or see that nobody else reads on that network',
    }));
}

/** What can be meant so, but is worth a line in the log at start. */
export function warningsFor(config: ConfigFile): Fault[] {
  const { destinations, channels, storage, retention } = config;
  const routed = routedTargets(config);
  const isUnused = (name: string) => routed.size > 0 && !routed.has(name);
  const unused = Object.keys(destinations).filter(isUnused);
  const untold = Object.keys(channels).filter(isUnused);
  const warnings = [
    ...routeWarnings(config),
    ...unused.map((name) => ({
      keys: ['destinations', name],
      atKey: true,
      message: `No route sends anything to destination "${name}"`,
    })),
    ...untold.map((name) => ({
      keys: ['channels', name],
      atKey: true,
      message: `No route notifies channel "${name}"`,
    })),
  ];
  warnings.push(...passcodeWarnings(config), ...plainMessageWarnings(config));
  if (retention.minFreeMb < storage.minFreeMb) {
    const message =
      'retention.minFreeMb is less than storage.minFreeMb: receiving stops before space is made';
    warnings.push({ keys: ['retention', 'minFreeMb'], message });
  }
  return warnings;
}
