import { validateDetailed } from 'node-cron';
import { z } from 'zod';
import { channels } from './channel-schema.js';
import { oidc } from './oidc-schema.js';
import { defaultRoute, fallbackRoute, routes } from './routing-schema.js';
import { host, pemFile } from './schema-values.js';
import { AE_TITLE, isAddressRange, NAME, UID } from './syntax.js';
import { peerTls } from './tls-schema.js';

/**
 * The configuration file's form, key by key, with the units that people write: seconds, MB, days. `settings.ts` turns
 * it into what the parts of Vigil take. Descriptions also reach the JSON Schema, and so the editor.
 */
const aeTitle = z
  .string()
  .regex(AE_TITLE, 'is no AE title: 1 to 16 ASCII characters, no backslash, no space at the ends');
const listenPort = z.int().min(0).max(65535);
const uid = z.string().regex(UID, 'is no UID: numbers joined by dots, at most 64 characters');
const addressRange = z
  .string()
  .refine(isAddressRange, 'is no address range, such as 10.1.0.0/16 or fd00::/8');
const seconds = (min: number, max: number) => z.number().min(min).max(max);
const anyOr = <T extends z.ZodType>(item: T) =>
  z.union([z.literal('any'), z.array(item).min(1)], 'any, or a list in brackets, such as [A, B]');

const schedule = z.string().superRefine((expression, context) => {
  const { valid, errors } = validateDetailed(expression);
  if (valid) return;
  const why = errors.map(({ message }) => message).join('; ');
  context.addIssue({
    code: 'custom',
    message: `is no cron expression: ${why}`,
    params: { hint: 'minute hour day-of-month month day-of-week, such as "17 * * * *"' },
  });
});

const node = z.strictObject({
  aeTitle: aeTitle.default('VIGIL').describe('The AE title that Vigil answers to and calls with.'),
  host: host.default('0.0.0.0').describe('Address to listen on for DICOM associations.'),
  port: listenPort.default(11112).describe('Port for plain DICOM; 0 takes any free one.'),
});

export const storage = z.strictObject({
  folder: z
    .string()
    .min(1)
    .default('./data')
    .describe('Catalog, received instances and results. Relative to the configuration file.'),
  minFreeMb: z
    .int()
    .min(0)
    .default(1024)
    .describe('With less free space, C-STORE is answered 0xA700 (out of resources).'),
});

const receiveTls = z.strictObject({
  host: host
    .exactOptional()
    .describe('Address to listen on for DICOM over TLS; node.host where absent.'),
  port: listenPort
    .default(2762)
    .describe('Port for DICOM over TLS (PS3.15 B.9); 0 takes any free one.'),
  certificate: pemFile.describe(
    "Vigil's certificate (PEM), with those between it and its authority. Relative to the configuration file.",
  ),
  key: pemFile.describe('Its private key (PEM), without a passphrase.'),
  authorities: pemFile.describe(
    "Certificates (PEM) of the authorities that sign the senders' certificates, or self-signed ones of senders.",
  ),
  clientCertificate: z
    .enum(['required', 'optional'])
    .default('required')
    .describe(
      'Whether a sender must show a certificate. One that it shows must be good in any case.',
    ),
});

const access = z.strictObject({
  callingAeTitle: aeTitle.describe('AE title that may call.'),
  from: anyOr(addressRange).default('any').describe('Addresses or CIDR ranges that it calls from.'),
  certificate: anyOr(z.string().min(1))
    .default('any')
    .describe(
      'Common Name, a name of the Subject Alternative Name, or SHA-256 fingerprint in hex of the certificate that it shows over TLS.',
    ),
  users: z
    .string()
    .min(1)
    .default('any')
    .describe(
      'any, or a file with the users of whom it must be one, a line each as vigil hash-passcode prints it (user identity, PS3.7 D.3.3.7). Relative to the configuration file.',
    ),
});

const receive = z.strictObject({
  plain: z
    .boolean()
    .default(true)
    .describe('Whether to listen for plain DICOM, on node.port; false leaves all to receive.tls.'),
  maxPduLength: z
    .int()
    .min(4096)
    .max(16 * 1024 * 1024)
    .default(131072)
    .describe('Longest P-DATA-TF PDU taken, in bytes (PS3.8 D.1).'),
  maxDatasetMb: z
    .int()
    .min(1)
    .max(2047)
    .default(1024)
    .describe('Longest dataset taken; a longer one is answered 0xA700, and nothing of it is kept.'),
  maxAssociations: z.int().min(1).max(1000).default(100).describe('Associations at a time.'),
  maxAssociationsPerAddress: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('Of those, how many one address may have.'),
  maxConnections: z
    .int()
    .min(1)
    .max(2000)
    .default(200)
    .describe(
      'TCP connections at a time, on all ports; beyond it one that has no association is closed.',
    ),
  artimSeconds: seconds(1, 600)
    .default(30)
    .describe('Longest wait for A-ASSOCIATE-RQ and for the close of a connection (PS3.8 9.1.5).'),
  idleSeconds: seconds(1, 86400)
    .default(120)
    .describe('An association that moves no byte for so long is aborted.'),
  calledAeTitles: anyOr(aeTitle)
    .default('any')
    .describe('AE titles that senders may call Vigil by; a list replaces node.aeTitle.'),
  callingAeTitles: anyOr(aeTitle).default('any').describe('AE titles that may send.'),
  allowFrom: anyOr(addressRange)
    .default('any')
    .describe('Source addresses that may connect, as addresses or CIDR ranges.'),
  access: anyOr(access)
    .default('any')
    .describe(
      'Rules for each calling AE title: all that one rule says must hold, and any rule of an AE title is enough. AE titles without a rule are rejected.',
    ),
  storageClasses: anyOr(uid)
    .default('any')
    .describe(
      'SOP Class UIDs whose presentation contexts are accepted: any Storage SOP Class of the standard, or those of a list, private ones too.',
    ),
  tls: receiveTls.exactOptional().describe('A second port, for DICOM over TLS.'),
});

const completeness = z.strictObject({
  likelySeconds: seconds(0, 600)
    .default(2)
    .describe('Silence before a series that looks whole is read.'),
  unknownSeconds: seconds(0, 3600)
    .default(20)
    .describe('Silence before a series is read of which nothing says that it is whole.'),
  capSeconds: seconds(1, 86400)
    .default(600)
    .describe('Longest time from the first instance to the reading, though more still arrive.'),
  lateFirstSeconds: seconds(0, 3600)
    .default(5)
    .describe(
      'Silence after a slice that came after the report, before a second report; doubles with each further report.',
    ),
  lateLongestSeconds: seconds(0, 86400)
    .default(300)
    .describe('What that silence grows to. capSeconds limits the wait in any case.'),
  studyQuietSeconds: seconds(0, 3600)
    .default(20)
    .describe('Silence in the whole study before it is reported as not eligible.'),
});

const name = z.string().regex(NAME, 'is no name: a lower-case letter, then letters, digits or "-"');

const WHERE_PACKAGES_ARE =
  "a name is looked up in Vigil's own models folder, a path (with a slash) is relative to the configuration file.";

const calibration = z
  .string()
  .min(1)
  .default('shipped')
  .describe(
    "The model package's own calibration and thresholds, or a file that vigil calibrate wrote, relative to the configuration file.",
  );

const prevalence = z
  .union(
    [z.literal('as-calibrated'), z.number().gt(0).lt(1)],
    'as-calibrated, or a share such as 0.08',
  )
  .default('as-calibrated')
  .describe(
    "The site's share of studies with a hemorrhage, 0..1, that reported probabilities are to hold for; no answer changes by it.",
  );

/** Each is a process with a model in memory. */
const MOST_SECOND_READERS = 4;

const secondReaders = z
  .record(
    name,
    z.strictObject({
      model: z.string().min(1).describe(`Model package: ${WHERE_PACKAGES_ARE}`),
      calibration,
      prevalence,
    }),
  )
  .refine((readers) => Object.keys(readers).length <= MOST_SECOND_READERS, {
    message: `are more than ${MOST_SECOND_READERS}: each is a process with a model in memory`,
  })
  .default({})
  .describe(
    'Models that read each series too, once it is reported: their answers are kept and compared, and routes can ask for them.',
  );

const inference = z.strictObject({
  model: z
    .string()
    .min(1)
    .default('vigil-ich-small')
    .describe(`Model package: ${WHERE_PACKAGES_ARE}`),
  signedBy: anyOr(z.string().min(1))
    .default('any')
    .describe(
      'Files of public Ed25519 keys (PEM), relative to the configuration file: every model package must be signed by one of them.',
    ),
  calibration,
  prevalence,
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Threads of ONNX Runtime; one more makes the next slice.'),
  timeoutSeconds: seconds(5, 3600)
    .default(30)
    .describe(
      'Longest that the inference process may take for at most 8 slabs, or for the answer of a series: after that it has hung, and is ended and started again.',
    ),
  memoryMb: z
    .int()
    .min(512)
    .max(1024 * 1024)
    .default(4096)
    .describe('What the inference process may allocate: an image that takes more fails alone.'),
  maxKeySlices: z.int().min(1).max(16).default(3).describe('Grad-CAM images for each report.'),
  secondReaders,
});

const report = z.strictObject({
  researchText: z
    .string()
    .min(1)
    .max(200)
    .default('For research use only. Not for diagnostic use.')
    .describe('Stands on every object that Vigil makes.'),
  institutionName: z
    .string()
    .regex(/^[^\\\p{Cc}]{1,64}$/u, 'is longer than 64 characters, or has a backslash or control')
    .exactOptional()
    .describe('Institution Name (0008,0080) of the objects, where the source images have none.'),
});

const peerUser = z.strictObject({
  name: z
    .string()
    .regex(/^\P{Cc}{1,256}$/u, 'is empty, longer than 256 characters, or has a control character')
    .describe('User name that the peer is told.'),
  passcodeFile: z
    .string()
    .min(1)
    .exactOptional()
    .describe(
      'File whose first line is the passcode; the name alone is told where absent. Relative to the configuration file.',
    ),
  mustConfirm: z
    .boolean()
    .default(false)
    .describe('Whether the peer must answer that it has checked the user.'),
});

/** Another application entity that Vigil calls. */
const peer = {
  aeTitle: aeTitle.describe('AE title of the peer.'),
  host: host.describe('Host name or address of the peer.'),
  port: z.int().min(1).max(65535).describe('Port of the peer.'),
  callingAeTitle: aeTitle
    .exactOptional()
    .describe('AE title that Vigil calls with; node.aeTitle where absent.'),
  maxAttempts: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Attempts before a delivery or report is given up and shown to a person.'),
  retryFirstSeconds: seconds(0.1, 3600)
    .default(2)
    .describe('The first retry comes within this time; the span doubles with each attempt.'),
  retryLongestSeconds: seconds(0.1, 86400).default(600).describe('The span grows up to this.'),
  connectSeconds: seconds(0.1, 600).default(10).describe('Longest wait for the connection.'),
  associateSeconds: seconds(0.1, 600).default(20).describe('Longest wait for A-ASSOCIATE-AC.'),
  responseSeconds: seconds(0.1, 3600)
    .default(60)
    .describe('Longest wait for a response, from the last byte that moved.'),
  tls: peerTls.exactOptional().describe('Speaks TLS with the peer, by BCP 195.'),
  user: peerUser
    .exactOptional()
    .describe('Tells the peer of a user (user identity, PS3.7 D.3.3.7).'),
};

/** It is called with the AE title that it called. */
const scanner = z.strictObject(peer).omit({ callingAeTitle: true });

const destination = z.strictObject({
  ...peer,
  verifyByFind: z
    .boolean()
    .default(false)
    .describe(
      'Whether an object counts as delivered only when the peer finds it: C-FIND, Study Root, IMAGE level.',
    ),
  verifyByCommitment: z
    .boolean()
    .default(false)
    .describe(
      'Whether an object counts as delivered only when the peer has committed to keep it: Storage Commitment Push Model.',
    ),
  verifyAfterSeconds: seconds(0.1, 3600)
    .default(10)
    .describe(
      'From the answer to C-STORE until the peer is asked; doubled each time it has it not.',
    ),
  verifyAttempts: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe(
      'How often the peer may have it not, with another C-STORE in between, or not report, until it is given up.',
    ),
  verifyReportSeconds: seconds(0.1, 604_800)
    .default(3600)
    .describe('Longest wait for the report of a storage commitment, until the peer is asked anew.'),
});

const retention = z.strictObject({
  schedule: schedule
    .default('17 * * * *')
    .describe('When old studies are removed, as a cron expression in local time.'),
  maxAgeDays: z
    .number()
    .min(0.01)
    .max(36500)
    .default(30)
    .describe('Delivered studies older than this are removed.'),
  minFreeMb: z
    .int()
    .min(0)
    .default(4096)
    .describe('With less free space, the oldest delivered studies are removed.'),
  maintenanceSchedule: schedule
    .default('41 3 * * *')
    .describe("When the catalog's own upkeep runs, as a cron expression in local time."),
});

const verify = z.strictObject({
  schedule: schedule
    .default('23 2 * * 0')
    .describe(
      'When every file is checked against its checksum, as a cron expression in local time.',
    ),
  mbPerSecond: z
    .number()
    .min(0.1)
    .max(100_000)
    .default(25)
    .describe('The check reads no faster than this.'),
});

const admin = z.strictObject({
  host: host
    .default('127.0.0.1')
    .describe('Address of the HTTP listener for console, API, health and metrics.'),
  port: listenPort.default(8480).describe('Its port; 0 takes any free one.'),
  console: z
    .boolean()
    .default(true)
    .describe('Whether there is a console and an API; false leaves health and metrics alone.'),
  tls: z
    .strictObject({
      certificate: pemFile.describe(
        'Certificate (PEM) for browsers, with those between it and its authority. Relative to the configuration file.',
      ),
      key: pemFile.describe('Its private key (PEM), without a passphrase.'),
    })
    .exactOptional()
    .describe('Speaks HTTPS: needed beyond this machine, unless there is a proxy that does.'),
  behindProxy: z
    .array(addressRange)
    .min(1)
    .exactOptional()
    .describe(
      'Addresses or CIDR ranges of the proxies that browsers come through, by HTTPS: their X-Forwarded headers are believed.',
    ),
  url: z
    .url({ protocol: /^https?$/, error: 'is no URL, such as https://vigil.hospital.example' })
    .exactOptional()
    .describe('Where people open the console, for links; made from host and port where absent.'),
  oidc: oidc
    .exactOptional()
    .describe('Sign-in by OpenID Connect beside local accounts; needs admin.url.'),
});

const log = z.strictObject({
  level: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .describe('Lines below this level are not written.'),
});

export const configSchema = z.strictObject({
  node: node.prefault({}).describe('Vigil as a DICOM application entity.'),
  storage: storage.prefault({}).describe('Where Vigil keeps everything.'),
  receive: receive.prefault({}).describe('Who may send what, and how much at a time.'),
  completeness: completeness.prefault({}).describe('When a series counts as whole.'),
  inference: inference.prefault({}).describe('The model, and what it may use.'),
  report: report.prefault({}).describe('What the result objects say.'),
  destinations: z.record(name, destination).default({}).describe('Where results can go, by name.'),
  scanners: z
    .record(name, scanner)
    .default({})
    .describe('Where those listen who ask Vigil for storage commitment, by name.'),
  channels,
  routes,
  defaultRoute,
  fallbackRoute,
  retention: retention.prefault({}).describe('How long studies are kept.'),
  verify: verify.prefault({}).describe('The check of all files against their checksums.'),
  admin: admin.prefault({}).describe('Console, API, health and metrics over HTTP.'),
  log: log.prefault({}).describe('Logging to standard output, one JSON object a line.'),
});

/** A configuration file that has been parsed, with every default filled in. */
export type ConfigFile = z.output<typeof configSchema>;

/** The file's form as JSON Schema (2020-12), for editors and for hints. */
export function configJsonSchema(): object {
  return { title: 'Vigil configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
