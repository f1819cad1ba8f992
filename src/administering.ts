import { fileURLToPath } from 'node:url';
import { Departures } from './admin/api/departures.js';
import { actionRoutes } from './admin/api/routes/actions.js';
import { auditRoutes } from './admin/api/routes/audit.js';
import { eventRoutes } from './admin/api/routes/events.js';
import { OIDC_CALLBACK, OIDC_START, oidcRoutes } from './admin/api/routes/oidc.js';
import { operationsRoutes } from './admin/api/routes/operations.js';
import { type RoutingDesk, routingRoutes } from './admin/api/routes/routing.js';
import { sessionRoutes } from './admin/api/routes/session.js';
import { studyRoutes } from './admin/api/routes/studies.js';
import { userRoutes } from './admin/api/routes/users.js';
import type { Health } from './admin/health.js';
import { LiveFeed } from './admin/live-feed.js';
import type { Metrics } from './admin/metrics.js';
import { AdminServer } from './admin/server.js';
import { setupLink } from './admin/setup-link.js';
import { closedSite, site } from './admin/site.js';
import type { AuditRecord } from './admin/users/account-rows.js';
import { Accounts } from './admin/users/accounts.js';
import { IdentityProvider } from './admin/users/identity-provider.js';
import { SignIn } from './admin/users/sign-in.js';
import { adminActions } from './admin-actions.js';
import type { Certificates } from './certificates.js';
import type { AdminSettings, Settings } from './config/settings.js';
import type { ModelIdentity } from './domain/finding.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
import { readSecret } from './notify/channel-files.js';
import { operationsReporter } from './operations-report.js';
import type { PictureFunctions } from './report/picture-thread.js';
import type { SecondReaderState } from './second-readers.js';
import { AccountStore } from './store/account-store.js';
import type { ConsoleFunctions } from './store/console-thread.js';
import type { Catalog } from './store/database.js';
import type { StatusStore } from './store/status-store.js';
import { StudyLabels } from './store/study-labels.js';
import { studyReader } from './study-reader.js';
import { Thread } from './thread.js';
import { BCP_195 } from './tls/profile.js';
import { VERSION } from './version.js';

export interface AdministeringParts {
  /** Asked whenever a changed configuration may count. */
  readonly settings: () => Settings;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly certificates: Certificates;
  /** Absent where the node was not started from a configuration file. */
  readonly desk?: RoutingDesk | undefined;
  readonly catalog: Catalog;
  readonly status: StatusStore;
  readonly model: ModelIdentity;
  readonly secondReaders: () => readonly SecondReaderState[];
  /** Rows have changed: the workers look. */
  readonly wake: () => void;
  readonly log: Log;
}

/** Longer than anybody writes there; the event loop stands still meanwhile. */
const LOCK_WAIT_MS = 200;

const CONSOLE_FOLDER = fileURLToPath(new URL('../dist/console/', import.meta.url));

/** Everything that people and machines see of the node over HTTP, joined to the parts that know it. */
export class Administering implements AsyncDisposable {
  readonly #parts: AdministeringParts;
  readonly #server: AdminServer;
  readonly #reading: Thread<ConsoleFunctions>;
  readonly #drawing: Thread<PictureFunctions>;
  readonly #feed: LiveFeed;
  readonly #labelling: WorkerLoop;
  #rows: AccountStore | undefined;

  constructor(parts: AdministeringParts) {
    this.#parts = parts;
    const { health, metrics, certificates, catalog, log } = parts;
    const { admin, storage } = parts.settings();
    const { host, port, console, tls, behindProxy } = admin;
    const context = () => ({ ...BCP_195, ...certificates.forAdmin(), honorCipherOrder: true });
    this.#server = new AdminServer({
      host,
      port,
      health,
      metrics,
      log,
      proxies: behindProxy,
      ...(console && { site: (server) => this.#openSite(server) }),
      ...(console && tls !== undefined && { tls: context }),
    });
    certificates.onAdminChange(() => this.#server.renew(context()));
    this.#reading = new Thread('store/console-thread', catalog.name);
    this.#drawing = new Thread('report/picture-thread', undefined);
    this.#feed = new LiveFeed(
      {
        now: () => this.#reading.call('changesNow'),
        next: (cursor) => this.#reading.call('nextChanges', cursor),
        since: (cursor) => this.#reading.call('changesSince', cursor),
      },
      log,
    );
    const labels = new StudyLabels({
      catalog,
      folder: storage.folder,
      onLabelled: (studyInstanceUid) => this.#feed.publish({ kind: 'study', studyInstanceUid }),
      log,
    });
    this.#labelling = new WorkerLoop({ name: 'labels', run: () => labels.run(), log });
  }

  /** The port that it listens on; 0 while it does not. */
  get port(): number {
    return this.#server.address?.port ?? 0;
  }

  /** A link that makes the first account, while there is none; for the person at the terminal, never for the log. */
  newSetupLink(): string | undefined {
    if (this.#rows === undefined || this.#rows.hasAccounts()) return undefined;
    return setupLink(this.#parts.settings(), new Accounts(this.#rows).newSetupSecret(), this.port);
  }

  /** Studies may have come. */
  notify(): void {
    this.#labelling.notify();
  }

  async start(): Promise<void> {
    const { log } = this.#parts;
    const settings = this.#parts.settings();
    this.#labelling.start();
    if (settings.admin.console && this.#rows === undefined) {
      try {
        this.#rows = AccountStore.open(settings.storage.folder, LOCK_WAIT_MS);
      } catch (error) {
        // Triage goes on without anybody looking: only the console stays shut.
        log.error({ err: error }, 'accounts.db cannot be used: there is no console');
      }
    }
    await this.#server.start();
  }

  /** A changed configuration is in force. */
  reconfigured(): void {
    this.#feed.publish({ kind: 'routing' });
    this.#feed.publish({ kind: 'operations' });
  }

  async stop(): Promise<void> {
    this.#feed.stop();
    await this.#server.stop();
    await this.#labelling.stop();
    await this.#reading.stop();
    await this.#drawing.stop();
    this.#rows?.close();
    this.#rows = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #openSite(server: Parameters<typeof site>[0]): Promise<void> {
    const rows = this.#rows;
    if (rows === undefined) {
      return closedSite(server, 'accounts.db cannot be used: the log says why');
    }
    const { desk, settings, health, status, model, secondReaders, catalog, wake } = this.#parts;
    const { admin, storage } = settings();
    const secure = admin.tls !== undefined || admin.behindProxy !== undefined;
    const signIn = new SignIn(rows);
    const accounts = new Accounts(rows);
    const reader = studyReader(storage.folder, this.#reading, this.#drawing);
    const audit = (line: AuditRecord) => rows.audit(line);
    const { log } = this.#parts;
    const provider = identityProvider(admin);
    const departures = new Departures(secure);
    const rest = { model, secondReaders, catalog: this.#reading };
    const operations = { settings, health, status, ...rest };
    await site(server, {
      signIn,
      secure,
      version: VERSION,
      log,
      consoleFolder: CONSOLE_FOLDER,
      routes: [
        sessionRoutes({
          signIn,
          accounts,
          secure,
          oidc: provider ? provider.button : null,
          departures: admin.oidc?.signOutAtProvider ? departures : undefined,
        }),
        ...(provider
          ? [oidcRoutes({ ...provider, signIn, accounts, departures, audit, secure, log })]
          : []),
        userRoutes(accounts),
        auditRoutes(rows),
        ...(desk === undefined ? [] : [routingRoutes(desk, audit)]),
        studyRoutes(reader, audit),
        actionRoutes(adminActions({ catalog, settings, wake }), audit),
        operationsRoutes(operationsReporter(operations)),
        eventRoutes(this.#feed, { signIn, secure }),
      ],
    });
  }
}

/** The identity provider that people can sign in with, and its button on the sign-in page. */
function identityProvider({ oidc, url }: AdminSettings) {
  if (oidc === undefined || url === undefined) return undefined;
  return {
    provider: new IdentityProvider({
      settings: oidc,
      redirectUri: new URL(OIDC_CALLBACK, url).href,
      postLogoutRedirectUri: new URL('/', url).href,
      clientSecret: async () => oidc.clientSecretFile && readSecret(oidc.clientSecretFile),
    }),
    button: { title: oidc.title, url: OIDC_START },
  };
}
