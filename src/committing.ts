import type { PeerSection } from './certificates.js';
import { CommitmentReporter, type Commitments } from './commit/commitment-reporter.js';
import type { Settings } from './config/settings.js';
import { reportCommitment } from './deliver/commitment-report-scu.js';
import { DEFAULT_RETRY } from './deliver/deliver.js';
import { commitmentEvent } from './dicom/commitment-dataset.js';
import { encodeDataset } from './dicom/dataset.js';
import { STORAGE_COMMITMENT_INSTANCE, STORAGE_COMMITMENT_PUSH_MODEL } from './dicom/sop-classes.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
import type { StoreScp } from './receive/store-scp.js';
import type { Credentials } from './tls/credentials.js';
import { withCredentials } from './with-credentials.js';

/** Answers requests for storage commitment: on the association that they came on, or on one of Vigil's own. */
export class Committing implements AsyncDisposable {
  readonly #reporter: CommitmentReporter;
  readonly #loop: WorkerLoop;

  constructor(parts: {
    commitments: Commitments;
    scp: Pick<StoreScp, 'isOpen' | 'reportEvent'>;
    settings: () => Settings;
    /** What to speak TLS with a peer with. @throws CredentialsError */
    credentials: (section: PeerSection, name: string) => Credentials;
    log: Log;
  }) {
    const { commitments, scp, settings, credentials, log } = parts;
    const requestor = (aeTitle: string) => {
      // A PACS that forwards studies may ask as a scanner does.
      for (const section of ['scanners', 'destinations'] as const) {
        const found = settings()[section].find((peer) => peer.aeTitle === aeTitle);
        if (found) return withCredentials(found, (name) => credentials(section, name));
      }
      return undefined;
    };
    this.#reporter = new CommitmentReporter({
      commitments,
      requestors: {
        isOpen: (associationId) => scp.isOpen(associationId),
        onAssociation: (associationId, report) => {
          const { eventTypeId, information } = commitmentEvent(report);
          return scp.reportEvent(associationId, {
            sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
            sopInstanceUid: STORAGE_COMMITMENT_INSTANCE,
            eventTypeId,
            information: encodeDataset(information),
          });
        },
        onNewAssociation: ({ callingAeTitle, calledAeTitle }, report, signal) => {
          const peer = requestor(callingAeTitle);
          // The requestor knows Vigil by the title that it called.
          return (
            peer && reportCommitment({ ...peer, callingAeTitle: calledAeTitle }, report, signal)
          );
        },
        retry: (callingAeTitle) => requestor(callingAeTitle)?.retry ?? DEFAULT_RETRY,
      },
      onIdle: () => this.notify(),
      log,
    });
    this.#loop = new WorkerLoop({
      name: 'commitment',
      run: (signal) => this.#reporter.run(signal),
      log,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** A request has come. */
  notify(): void {
    this.#loop.notify();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#reporter.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
