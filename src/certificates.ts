import type { HealthCheck } from './admin/health.js';
import type { Settings } from './config/settings.js';
import type { Log } from './log.js';
import type { Credentials, TlsFiles } from './tls/credentials.js';
import { CredentialsKeeper, type CredentialsState } from './tls/credentials-keeper.js';

const DAY = 24 * 60 * 60 * 1000;

/** A certificate that expires within this time is warned of, in ms. */
export const EXPIRY_WARNING_MS = 30 * DAY;

const RECEIVE_TLS = 'receive.tls';
const ADMIN_TLS = 'admin.tls';

/** Where the configuration asks for TLS: the files by the key that names them. */
export function tlsUses(settings: Settings): Map<string, TlsFiles> {
  const uses = new Map<string, TlsFiles>();
  const { tls } = settings.receive;
  if (tls !== undefined) uses.set(RECEIVE_TLS, tls.files);
  const { console, tls: adminTls } = settings.admin;
  if (console && adminTls !== undefined) uses.set(ADMIN_TLS, adminTls.files);
  for (const section of ['destinations', 'scanners'] as const) {
    for (const { name, tls } of settings[section]) {
      if (tls !== undefined) uses.set(peerUse(section, name), tls.files);
    }
  }
  for (const { name, protocol } of settings.channels) {
    const use = `channels.${name}.${protocol.type}`;
    if (protocol.type === 'hl7') {
      if (protocol.tls !== undefined) uses.set(`${use}.tls`, protocol.tls.files);
    } else if (protocol.authorities !== undefined) {
      uses.set(use, { authorities: protocol.authorities });
    }
  }
  return uses;
}

/** The parts of the configuration that name application entities to call. */
export type PeerSection = 'destinations' | 'scanners';

const peerUse = (section: PeerSection, name: string) => `${section}.${name}.tls`;

/** Every certificate that the configuration names, kept in force and watched for its end. */
export class Certificates implements AsyncDisposable {
  readonly #keepers = new Map<string, CredentialsKeeper>();
  readonly #log: Log;
  readonly #onState: (states: readonly CredentialsState[]) => void;
  /** By the listener's use. */
  readonly #onChange = new Map<string, () => void>();
  #syncs: Promise<void> = Promise.resolve();
  #daily: NodeJS.Timeout | undefined;

  constructor(options: { log: Log; onState: (states: readonly CredentialsState[]) => void }) {
    this.#log = options.log;
    this.#onState = options.onState;
  }

  /** Reads the certificates; one that cannot be used is logged, and asking for it throws. */
  async start(settings: Settings): Promise<void> {
    await this.sync(settings);
    this.#daily ??= setInterval(() => this.#warn(), DAY).unref();
  }

  /** Takes the files that the configuration names now, and reads all of them anew. */
  sync(settings: Settings): Promise<void> {
    this.#syncs = this.#syncs.then(async () => {
      const uses = tlsUses(settings);
      for (const [use, keeper] of this.#keepers) {
        if (uses.has(use)) continue;
        this.#keepers.delete(use);
        await keeper.stop();
      }
      for (const [use, files] of uses) await this.#take(use, files);
      this.#warn();
    });
    return this.#syncs;
  }

  onReceiveChange(listener: () => void): void {
    this.#onChange.set(RECEIVE_TLS, listener);
  }

  onAdminChange(listener: () => void): void {
    this.#onChange.set(ADMIN_TLS, listener);
  }

  /** @throws CredentialsError where the files of `receive.tls` cannot be used */
  forReceiving(): Credentials {
    return this.#for(RECEIVE_TLS);
  }

  /** @throws CredentialsError where the files of `admin.tls` cannot be used */
  forAdmin(): Credentials {
    return this.#for(ADMIN_TLS);
  }

  /** @throws CredentialsError where the peer's files cannot be used */
  forPeer(section: PeerSection, name: string): Credentials {
    return this.#for(peerUse(section, name));
  }

  get states(): CredentialsState[] {
    return [...this.#keepers.values()].map(({ state }) => state);
  }

  get health(): HealthCheck {
    const sayings = this.states.flatMap((state) => sayingOf(state, Date.now()) ?? []);
    if (sayings.length === 0) return { ok: true };
    const reason = sayings.map(({ text }) => text).join('; ');
    return { ok: sayings.every(({ fails }) => !fails), reason };
  }

  async stop(): Promise<void> {
    clearInterval(this.#daily);
    this.#daily = undefined;
    await this.#syncs;
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #for(use: string): Credentials {
    const keeper = this.#keepers.get(use);
    if (keeper === undefined) throw new Error(`The TLS files of ${use} are not read yet`);
    return keeper.current;
  }

  async #take(use: string, files: TlsFiles): Promise<void> {
    const known = this.#keepers.get(use);
    if (known !== undefined) {
      await known.reload(files);
      return;
    }
    const keeper = new CredentialsKeeper({
      use,
      files,
      log: this.#log,
      onRead: (changed) => {
        if (changed) this.#onChange.get(use)?.();
        this.#onState(this.states);
      },
    });
    this.#keepers.set(use, keeper);
    await keeper.start();
  }

  #warn(): void {
    this.#onState(this.states);
    for (const state of this.states) {
      const saying = sayingOf(state, Date.now());
      // A problem of the files was logged when they were read.
      if (saying !== undefined && state.problem === undefined) {
        this.#log.warn({ use: state.use }, saying.text);
      }
    }
  }
}

/** What there is to say of credentials at `now`, if anything. */
function sayingOf(
  { use, expiresAt, problem }: CredentialsState,
  now: number,
): { readonly fails: boolean; readonly text: string } | undefined {
  if (expiresAt === undefined) return { fails: true, text: `${use}: ${problem ?? 'not read'}` };
  if (expiresAt <= now) return { fails: true, text: `${use}: a certificate has expired` };
  if (problem !== undefined) {
    return { fails: false, text: `${use}: changed files refused: ${problem}` };
  }
  const expiry = expiryWarning(expiresAt, now);
  return expiry === undefined ? undefined : { fails: false, text: `${use}: ${expiry}` };
}

/** Times in ms since the epoch. */
export function expiryWarning(expiresAt: number, now: number): string | undefined {
  const left = expiresAt - now;
  if (left > EXPIRY_WARNING_MS) return undefined;
  return `a certificate expires in ${Math.max(0, Math.floor(left / DAY))} days, on ${new Date(expiresAt).toISOString().slice(0, 10)}`;
}
