import { type Fault, suggestion } from './problems.js';
import type { ConfigFile } from './schema.js';

/**
 * Faults that no key has alone: references that lead nowhere, orders that contradict each other. Sections that are
 * faulty by themselves are absent; `destinationNames` are there in any case.
 */
export function crossCheck(
  sections: Partial<ConfigFile>,
  destinationNames: readonly string[],
): Fault[] {
  const { routes = [], completeness, destinations = {}, scanners = {}, node, receive } = sections;
  return [
    ...(node && receive ? portFaults(node, receive) : []),
    ...routeFaults(routes, destinationNames),
    ...(completeness === undefined ? [] : waitFaults(completeness)),
    ...retryFaults('destinations', destinations),
    ...retryFaults('scanners', scanners),
    ...titleFaults(scanners),
    ...proofFaults(destinations),
  ];
}

function routeFaults(routes: ConfigFile['routes'], known: readonly string[]): Fault[] {
  const seen = new Set<string>();
  return routes.flatMap((route, i) => {
    const faults: Fault[] = [];
    if (seen.has(route.name)) {
      const message = `is "${route.name}", as an earlier route is`;
      faults.push({ keys: ['routes', i, 'name'], message });
    }
    seen.add(route.name);
    route.send.to.forEach((name, j) => {
      if (known.includes(name)) return;
      const message = `is "${name}", which is no destination`;
      const hint = suggestion(name, known) ?? 'describe it under "destinations"';
      faults.push({ keys: ['routes', i, 'send', 'to', j], message, hint });
    });
    return faults;
  });
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

function retryFaults(section: 'destinations' | 'scanners', peers: ConfigFile['scanners']): Fault[] {
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

/** What can be meant so, but is worth a line in the log at start. */
export function warningsFor(config: ConfigFile): string[] {
  const { destinations, routes, storage, retention } = config;
  const warnings: string[] = [];
  const routed = new Set(routes.flatMap((route) => route.send.to));
  if (routes.length === 0) {
    warnings.push('No route is configured: studies are read, but results go nowhere');
  }
  for (const name of Object.keys(destinations)) {
    if (routes.length > 0 && !routed.has(name)) {
      warnings.push(`No route sends anything to destination "${name}"`);
    }
  }
  if (retention.minFreeMb < storage.minFreeMb) {
    warnings.push(
      'retention.minFreeMb is less than storage.minFreeMb: receiving stops before space is made',
    );
  }
  return warnings;
}
