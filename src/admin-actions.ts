import type { Actions } from './admin/api/routes/actions.js';
import type { DestinationSettings, Settings } from './config/settings.js';
import { echo } from './deliver/echo-scu.js';
import { checkDestination } from './destination-check.js';
import { StageError } from './domain/failure.js';
import { peerOf } from './named-peer.js';
import { ConflictStore } from './store/conflict-store.js';
import type { Catalog } from './store/database.js';
import { DeliveryStore } from './store/delivery-store.js';
import { StatusStore } from './store/status-store.js';
import { CredentialsError } from './tls/credentials.js';

/** What people have the node do by the API, with what the commands of `vigil` do it with. */
export function adminActions(options: {
  readonly catalog: Catalog;
  readonly settings: () => Settings;
  /** Rows have changed: the workers look. */
  readonly wake: () => void;
}): Actions {
  const { catalog, settings, wake } = options;
  const { folder } = settings().storage;
  const deliveries = new DeliveryStore(catalog, folder);
  const conflicts = new ConflictStore(catalog, folder);
  const status = new StatusStore(catalog);
  const waking = <T>(result: T): T => {
    wake();
    return result;
  };
  const destination = (name: string): DestinationSettings => {
    const found = settings().destinations.find((one) => one.name === name);
    if (found === undefined) throw new Error(`Destination ${name} is configured no more`);
    return found;
  };
  return {
    destinations: () =>
      settings().destinations.map(({ name, aeTitle, host, port, tls }) => ({
        name,
        aeTitle,
        host,
        port,
        tls: tls !== undefined,
      })),
    resend: (study, destinations) => waking(deliveries.resend(study, destinations)),
    reanalyse: (study) => waking(status.requestReanalysis(study)),
    settle: (study) => waking(conflicts.settle(study)),
    echo: async (name) => {
      try {
        return { ok: true, ...(await echo(await peerOf(destination(name)))) };
      } catch (error) {
        return failureOf(error);
      }
    },
    check: async (name) => {
      try {
        const peer = await peerOf(destination(name));
        const { kinds, ...check } = await checkDestination(peer, settings(), name);
        const lists = kinds.map(({ transferSyntaxes, routes, ...kind }) => ({
          ...kind,
          transferSyntaxes: [...transferSyntaxes],
          routes: [...routes],
        }));
        return { answered: true, kinds: lists, ...check };
      } catch (error) {
        return { answered: false, ...failureOf(error) };
      }
    },
  };
}

/** Why a peer could not be asked; anything else is an error of the node. */
function failureOf(error: unknown) {
  if (error instanceof StageError || error instanceof CredentialsError) {
    return { ok: false, code: error.code, message: error.message } as const;
  }
  throw error;
}
