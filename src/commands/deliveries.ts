import { type Settings, targetNames } from '../config/settings.js';
import { noDestination } from '../named-peer.js';
import { DeliveryStore } from '../store/delivery-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';

export interface DeliveryCommandOptions {
  readonly config: string;
  readonly json: boolean;
  readonly studyInstanceUid?: string | undefined;
  readonly to?: string | undefined;
  /** Only dead letters. */
  readonly dead?: boolean | undefined;
}

/**
 * `vigil resend`: with a study the newest report's objects go out again, with the same UIDs; without one, or with
 * `--dead`, the dead letters do.
 */
export function runResend(options: DeliveryCommandOptions): Promise<number> {
  const { studyInstanceUid, to, dead = false } = options;
  if (studyInstanceUid === undefined && to === undefined && !dead) {
    console.error(
      'Say what to resend: a study, --to <destination> for its dead letters, or --dead',
    );
    return Promise.resolve(EXIT.usage);
  }
  return withCatalog(options.config, (catalog, settings) => {
    const unknown = unknownDestination(settings, to);
    if (unknown !== undefined) {
      console.error(unknown);
      return EXIT.usage;
    }
    const store = new DeliveryStore(catalog, settings.storage.folder);
    const names = targetNames(settings);
    const destinations = to === undefined ? names : [to];
    const resent =
      studyInstanceUid === undefined || dead
        ? store.resendDead({ studyInstanceUid, destinations })
        : store.resend(studyInstanceUid, destinations);
    if (options.json) console.log(JSON.stringify({ studyInstanceUid, destination: to, resent }));
    else if (resent > 0) console.log(`${resent} deliveries are due again`);
    if (resent === 0) {
      console.error(
        studyInstanceUid === undefined
          ? 'Nothing to resend: no dead letter at a destination of the configuration (vigil status)'
          : 'Nothing to resend: the study has no settled delivery there (vigil show)',
      );
      return EXIT.notFound;
    }
    return EXIT.done;
  });
}

/** `vigil abandon`: a person takes note of dead letters, and of what waits for a destination that is gone. */
export function runAbandon(options: DeliveryCommandOptions): Promise<number> {
  const { studyInstanceUid, to, dead = false } = options;
  if (studyInstanceUid === undefined && to === undefined && !dead) {
    console.error(
      'Say what to abandon: a study, --to <destination>, or --dead for all dead letters',
    );
    return Promise.resolve(EXIT.usage);
  }
  return withCatalog(options.config, (catalog, settings) => {
    const store = new DeliveryStore(catalog, settings.storage.folder);
    const names = targetNames(settings);
    const filter = { studyInstanceUid, destinations: to === undefined ? undefined : [to] };
    const abandoned = store.abandon(filter, dead ? undefined : names);
    if (options.json) console.log(JSON.stringify({ studyInstanceUid, destination: to, abandoned }));
    else if (abandoned > 0) console.log(`${abandoned} deliveries are abandoned`);
    if (abandoned === 0) {
      console.error(
        'Nothing to abandon: no dead letter there, and nothing that waits for a destination that is gone',
      );
      return EXIT.notFound;
    }
    return EXIT.done;
  });
}

function unknownDestination(settings: Settings, to: string | undefined): string | undefined {
  const names = targetNames(settings);
  return to === undefined || names.includes(to) ? undefined : noDestination(to, names);
}
