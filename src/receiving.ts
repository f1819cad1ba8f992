import type { Metrics } from './admin/metrics.js';
import type { Certificates } from './certificates.js';
import type { Settings } from './config/settings.js';
import type { CommitmentReport, CommitmentRequest } from './domain/commitment.js';
import type { Log } from './log.js';
import { DEFAULT_LIMITS, StoreScp } from './receive/store-scp.js';
import type { CommitmentStore } from './store/commitment-store.js';
import type { Ingest } from './store/ingest.js';
import type { InstanceFiles } from './store/instance-files.js';
import type { PerformedStepStore } from './store/performed-step-store.js';

/** The SCP, joined to the archive's files, the catalog and the metrics. */
export function buildStoreScp(parts: {
  settings: Settings;
  files: InstanceFiles;
  ingest: Ingest;
  commitments: CommitmentStore;
  /** A request for storage commitment was written down. */
  onCommitmentRequested: (request: CommitmentRequest) => void;
  /** A PACS reports on storage commitment that it was asked for; false where it was not. */
  onCommitmentReport: (report: CommitmentReport) => boolean;
  steps: PerformedStepStore;
  /** What is known of these series has changed: a procedure step that made them has ended. */
  onStepEnded: (seriesInstanceUids: readonly string[]) => void;
  metrics: Metrics;
  certificates: Certificates;
  log: Log;
}): StoreScp {
  const { files, ingest, commitments, onCommitmentRequested, steps, onStepEnded } = parts;
  const { metrics, certificates, log } = parts;
  const { node, receive } = parts.settings;
  const {
    maxPduLength,
    maxDatasetBytes,
    maxAssociations,
    maxAssociationsPerAddress,
    maxConnections,
    plain,
    tls,
    ...policy
  } = receive;
  const scp = new StoreScp({
    settings: {
      ...DEFAULT_LIMITS,
      ...policy,
      host: node.host,
      port: plain ? node.port : 'off',
      tls: tls && { ...tls, credentials: () => certificates.forReceiving() },
      maximumLength: maxPduLength,
      maximumDatasetBytes: maxDatasetBytes,
      maximumAssociations: maxAssociations,
      maximumAssociationsPerAddress: maxAssociationsPerAddress,
      maximumConnections: maxConnections,
    },
    files,
    catalog: ingest,
    commitments: {
      accept: (request) => {
        // What was acknowledged a moment ago may wait for its row, and the request may name it.
        ingest.flush();
        const verdict = commitments.accept(request);
        if (verdict === 'accepted') onCommitmentRequested(request);
        return verdict;
      },
    },
    commitmentReports: { take: parts.onCommitmentReport },
    steps: {
      create: (step) => steps.create(step),
      change: (sopInstanceUid, change) => {
        // As above: the step may name it.
        ingest.flush();
        const verdict = steps.change(sopInstanceUid, change);
        const ended = change.state !== undefined && change.state !== 'in-progress';
        if (verdict === 'taken' && ended) onStepEnded(steps.series(sopInstanceUid));
        return verdict;
      },
    },
    nextAssociationId: () => ingest.nextAssociationId(),
    observer: {
      associationOpened: (association) => {
        ingest.associationOpened(association);
        metrics.associationOpened();
      },
      connectionRefused: ({ code, text }, remoteAddress) => {
        metrics.connectionRefused(code);
        log.warn({ code, remoteAddress, reason: text }, 'connection refused');
      },
      associationRejected: ({ because }, { callingAeTitle, calledAeTitle }, remoteAddress) => {
        metrics.associationClosed('rejected');
        const fields = { callingAeTitle, calledAeTitle, remoteAddress, reason: because };
        log.warn(fields, 'association rejected');
      },
      associationClosed: (id, end, closedAt) => {
        ingest.associationClosed(id, end, closedAt);
        metrics.associationClosed(end);
      },
      instanceReceived: ({ callingAeTitle, bytes }, _, seconds) => {
        metrics.instanceReceived(callingAeTitle, bytes);
        metrics.cStoreAnswered(seconds);
      },
      instanceRefused: (_, { status }) => metrics.instanceRefused(status),
    },
    log,
  });
  certificates.onReceiveChange(() => scp.credentialsChanged());
  return scp;
}
