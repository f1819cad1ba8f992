import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RoutingRules } from '../domain/routing.js';
import { type ChannelSettings, channelSettings } from './channel-settings.js';
import { type OidcSettings, oidcSettings } from './oidc-settings.js';
import { routingRules } from './routing-rules.js';
import type { ConfigFile } from './schema.js';
import {
  type PeerTlsSettings,
  peerTlsSettings,
  type TlsFileSettings,
  tlsFiles,
} from './tls-settings.js';

/** Any value, or one of a list. */
export type AnyOr<T> = 'any' | readonly T[];

/** The configuration as the parts of Vigil take it: absolute paths, times in ms, sizes in bytes. */
export interface Settings {
  readonly node: { readonly aeTitle: string; readonly host: string; readonly port: number };
  readonly storage: { readonly folder: string; readonly minFreeBytes: number };
  readonly receive: {
    /** Whether to listen for plain DICOM, on `node.port`. */
    readonly plain: boolean;
    readonly maxPduLength: number;
    /** Longest dataset of one C-STORE. */
    readonly maxDatasetBytes: number;
    readonly maxAssociations: number;
    readonly maxAssociationsPerAddress: number;
    readonly maxConnections: number;
    readonly artimMs: number;
    readonly idleMs: number;
    readonly calledAeTitles: AnyOr<string>;
    readonly callingAeTitles: AnyOr<string>;
    /** IP addresses and CIDR ranges. */
    readonly allowFrom: AnyOr<string>;
    /** What must hold for each calling AE title. */
    readonly access: AnyOr<{
      readonly callingAeTitle: string;
      readonly from: AnyOr<string>;
      readonly certificate: AnyOr<string>;
      /** Absolute path of a users' file. */
      readonly users: 'any' | string;
    }>;
    /** SOP Class UIDs. */
    readonly storageClasses: AnyOr<string>;
    readonly tls?: ReceiveTlsSettings;
  };
  readonly completeness: {
    readonly likelyMs: number;
    readonly unknownMs: number;
    readonly capMs: number;
    readonly lateFirstMs: number;
    readonly lateLongestMs: number;
    readonly studyQuietMs: number;
  };
  readonly inference: SiteFit & {
    /** Absolute path of the model package. */
    readonly model: string;
    /** Absolute paths of public keys. */
    readonly signedBy: AnyOr<string>;
    readonly threads: number;
    readonly timeoutMs: number;
    readonly memoryBytes: number;
    readonly maxKeySlices: number;
    /** Models that read what is reported already. */
    readonly secondReaders: readonly SecondReaderSettings[];
  };
  readonly report: { readonly researchText: string; readonly institutionName?: string };
  readonly destinations: readonly DestinationSettings[];
  /** Who is told of findings by other means than DICOM. */
  readonly channels: readonly ChannelSettings[];
  /** Who may be called back about storage commitment. */
  readonly scanners: readonly PeerSettings[];
  readonly routing: RoutingRules;
  readonly retention: {
    readonly schedule: string;
    readonly maxAgeMs: number;
    readonly minFreeBytes: number;
    readonly maintenanceSchedule: string;
  };
  readonly verify: { readonly schedule: string; readonly bytesPerSecond: number };
  readonly admin: AdminSettings;
  readonly log: { readonly level: ConfigFile['log']['level'] };
}

export interface SecondReaderSettings extends SiteFit {
  readonly name: string;
  /** Absolute path of the model package. */
  readonly model: string;
}

/** What the site has set for a model package. */
export interface SiteFit {
  /** Absolute path of the site's own; the package's where absent. */
  readonly calibration?: string;
  /** Share of studies with a hemorrhage, 0..1; as the calibration has it where absent. */
  readonly prevalence?: number;
}

export interface ReceiveTlsSettings {
  readonly host: string;
  readonly port: number;
  readonly clientCertificate: 'required' | 'optional';
  readonly files: TlsFileSettings;
}

export interface AdminSettings {
  readonly host: string;
  readonly port: number;
  /** Whether there is more than health and metrics. */
  readonly console: boolean;
  readonly tls?: { readonly files: TlsFileSettings };
  /** Addresses and CIDR ranges of proxies. */
  readonly behindProxy?: readonly string[];
  /** Where people open the console, where that is not host and port. */
  readonly url?: string;
  readonly oidc?: OidcSettings;
}

/** Another application entity that Vigil calls. */
export interface PeerSettings {
  readonly name: string;
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  readonly callingAeTitle: string;
  readonly retry: { readonly attempts: number; readonly baseMs: number; readonly capMs: number };
  readonly timeouts: {
    readonly connectMs: number;
    readonly associateMs: number;
    readonly responseMs: number;
  };
  readonly tls?: PeerTlsSettings;
  /** That the peer is told of. */
  readonly user?: {
    readonly name: string;
    /** Absolute path. */
    readonly passcodeFile?: string;
    readonly mustConfirm: boolean;
  };
}

export interface DestinationSettings extends PeerSettings {
  /** Absent where success as the answer to C-STORE is proof enough. */
  readonly verify?: {
    readonly afterMs: number;
    readonly attempts: number;
    /** By storage commitment; by C-FIND where absent. */
    readonly commitment?: { readonly reportMs: number };
  };
}

/** Names of all that deliveries go to. */
export function targetNames({ destinations, channels }: Settings): string[] {
  return [...destinations, ...channels].map(({ name }) => name);
}

const MB = 1024 * 1024;
const DAY = 24 * 60 * 60 * 1000;
const ms = (seconds: number) => Math.round(seconds * 1000);
const OWN_MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

function accessRule<Rule extends { readonly users: string }>(rule: Rule, folder: string): Rule {
  return rule.users === 'any' ? rule : { ...rule, users: resolve(folder, rule.users) };
}

/** What a sound configuration says; `folder` is what its relative paths start from. */
export function settingsOf(config: ConfigFile, folder: string): Settings {
  const { node, storage, receive, completeness, inference, retention, verify } = config;
  return {
    node,
    storage: {
      folder: resolve(folder, storage.folder),
      minFreeBytes: storage.minFreeMb * MB,
    },
    receive: {
      plain: receive.plain,
      maxPduLength: receive.maxPduLength,
      maxDatasetBytes: receive.maxDatasetMb * MB,
      maxAssociations: receive.maxAssociations,
      maxAssociationsPerAddress: receive.maxAssociationsPerAddress,
      maxConnections: receive.maxConnections,
      artimMs: ms(receive.artimSeconds),
      idleMs: ms(receive.idleSeconds),
      calledAeTitles: receive.calledAeTitles,
      callingAeTitles: receive.callingAeTitles,
      allowFrom: receive.allowFrom,
      access:
        receive.access === 'any' ? 'any' : receive.access.map((rule) => accessRule(rule, folder)),
      storageClasses: receive.storageClasses,
      ...(receive.tls && {
        tls: {
          host: receive.tls.host ?? node.host,
          port: receive.tls.port,
          clientCertificate: receive.tls.clientCertificate,
          files: tlsFiles(receive.tls, folder),
        },
      }),
    },
    completeness: {
      likelyMs: ms(completeness.likelySeconds),
      unknownMs: ms(completeness.unknownSeconds),
      capMs: ms(completeness.capSeconds),
      lateFirstMs: ms(completeness.lateFirstSeconds),
      lateLongestMs: ms(completeness.lateLongestSeconds),
      studyQuietMs: ms(completeness.studyQuietSeconds),
    },
    inference: {
      model: packageFolder(inference.model, folder),
      signedBy:
        inference.signedBy === 'any'
          ? 'any'
          : inference.signedBy.map((file) => resolve(folder, file)),
      ...siteFit(inference, folder),
      threads: inference.threads,
      timeoutMs: ms(inference.timeoutSeconds),
      memoryBytes: inference.memoryMb * MB,
      maxKeySlices: inference.maxKeySlices,
      secondReaders: Object.entries(inference.secondReaders).map(([name, reader]) => ({
        name,
        model: packageFolder(reader.model, folder),
        ...siteFit(reader, folder),
      })),
    },
    report: config.report,
    destinations: Object.entries(config.destinations).map(([name, destination]) => ({
      ...peerSettings(name, destination, node.aeTitle, folder),
      ...((destination.verifyByFind || destination.verifyByCommitment) && {
        verify: {
          afterMs: ms(destination.verifyAfterSeconds),
          attempts: destination.verifyAttempts,
          ...(destination.verifyByCommitment && {
            commitment: { reportMs: ms(destination.verifyReportSeconds) },
          }),
        },
      }),
    })),
    scanners: Object.entries(config.scanners).map(([name, scanner]) =>
      peerSettings(name, scanner, node.aeTitle, folder),
    ),
    channels: channelSettings(config.channels, folder, config.admin.url),
    routing: routingRules(config),
    retention: {
      schedule: retention.schedule,
      maxAgeMs: retention.maxAgeDays * DAY,
      minFreeBytes: retention.minFreeMb * MB,
      maintenanceSchedule: retention.maintenanceSchedule,
    },
    verify: { schedule: verify.schedule, bytesPerSecond: verify.mbPerSecond * MB },
    admin: adminSettings(config.admin, folder),
    log: config.log,
  };
}

function packageFolder(model: string, folder: string): string {
  return resolve(model.includes('/') ? folder : OWN_MODELS, model);
}

function siteFit(
  { calibration, prevalence }: Pick<ConfigFile['inference'], 'calibration' | 'prevalence'>,
  folder: string,
): SiteFit {
  return {
    ...(calibration !== 'shipped' && { calibration: resolve(folder, calibration) }),
    ...(prevalence !== 'as-calibrated' && { prevalence }),
  };
}

function adminSettings({ tls, oidc, ...rest }: ConfigFile['admin'], folder: string): AdminSettings {
  const admin = { ...rest, ...(oidc && { oidc: oidcSettings(oidc, folder) }) };
  if (tls === undefined) return admin;
  // Browsers show no certificate: there is no authority but the own one to check against.
  const files = tlsFiles({ ...tls, authorities: tls.certificate }, folder);
  return { ...admin, tls: { files } };
}

function peerSettings(
  name: string,
  peer: ConfigFile['scanners'][string] & { readonly callingAeTitle?: string },
  ownAeTitle: string,
  folder: string,
): PeerSettings {
  return {
    name,
    aeTitle: peer.aeTitle,
    host: peer.host,
    port: peer.port,
    callingAeTitle: peer.callingAeTitle ?? ownAeTitle,
    retry: {
      attempts: peer.maxAttempts,
      baseMs: ms(peer.retryFirstSeconds),
      capMs: ms(peer.retryLongestSeconds),
    },
    timeouts: {
      connectMs: ms(peer.connectSeconds),
      associateMs: ms(peer.associateSeconds),
      responseMs: ms(peer.responseSeconds),
    },
    ...(peer.tls && { tls: peerTlsSettings(peer.tls, peer.host, folder) }),
    ...(peer.user && {
      user: {
        ...peer.user,
        ...(peer.user.passcodeFile && { passcodeFile: resolve(folder, peer.user.passcodeFile) }),
      },
    }),
  };
}
