import { z } from 'zod';
import { host } from './schema-values.js';
import { isThisMachine, NAME } from './syntax.js';
import { peerTls } from './tls-schema.js';

/** The form of `channels` in the configuration file: who is told of findings, and by which protocol. */
const file = z.string().min(1);
const seconds = (min: number, max: number) => z.number().min(min).max(max);
const mailbox = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, 'is no e-mail address');

const patientData = z
  .boolean()
  .default(false)
  .describe('Whether patient and order are named. Without, the Study Instance UID alone is.');
const authorities = file
  .exactOptional()
  .describe(
    "Certificates (PEM) of the authorities that the receiver's certificate may lead to, relative to the configuration file; those that Node.js trusts where absent.",
  );

const faultIn = (context: z.RefinementCtx) => (path: string, message: string, hint?: string) =>
  context.addIssue({ code: 'custom', path: [path], message, ...(hint && { params: { hint } }) });

const email = z
  .strictObject({
    host: host.describe('Mail server.'),
    port: z.int().min(1).max(65535).default(587).describe('Its port.'),
    security: z
      .enum(['tls', 'starttls', 'none'])
      .default('starttls')
      .describe('TLS from the first byte (port 465), by STARTTLS, or none.'),
    from: mailbox.describe('Address of the sender.'),
    to: z.array(mailbox).min(1).max(50).describe('Addresses of the recipients.'),
    user: z.string().min(1).exactOptional().describe('For servers that want a sign-in.'),
    passwordFile: file
      .exactOptional()
      .describe('File with the password, relative to the configuration file.'),
    authorities,
    patientData,
  })
  .superRefine(({ user, passwordFile, security, patientData, host }, context) => {
    const fault = faultIn(context);
    if ((user === undefined) !== (passwordFile === undefined)) {
      fault('user', 'and passwordFile go together', 'give both, or neither');
    }
    if (security !== 'none' || isThisMachine(host)) return;
    if (patientData) fault('patientData', 'would go over the network in clear', 'set security');
    if (user !== undefined) fault('user', 'and its password would go over the network in clear');
  });

const webhook = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'is no URL, such as https://hooks.hospital.example/ich' })
      .describe('Where to POST to.'),
    secretFile: file.describe(
      'File with the key that signs each request (HMAC-SHA-256), relative to the configuration file.',
    ),
    authorities,
    patientData,
  })
  .superRefine(({ url, patientData }, context) => {
    const fault = faultIn(context);
    const { username, password } = new URL(url);
    if (username !== '' || password !== '') fault('url', PASSWORD_IN_URL);
    if (patientData && isInClear(url)) fault('patientData', IN_CLEAR, 'give an https URL');
  });

const PASSWORD_IN_URL = 'has a password in it, which would be kept with each version';
const IN_CLEAR = 'would go over the network in clear';

function isInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !isThisMachine(hostname);
}

const fhir = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'is no URL, such as https://fhir.hospital.example/r4' })
      .describe('Base of the server (FHIR R4).'),
    tokenFile: file
      .exactOptional()
      .describe('File with a bearer token, relative to the configuration file.'),
    user: z
      .string()
      .regex(/^[^:\p{Cc}]{1,256}$/u, 'is longer than 256 characters, or has a colon or control')
      .exactOptional()
      .describe('For servers that want a sign-in (basic authentication).'),
    passwordFile: file
      .exactOptional()
      .describe('File with the password, relative to the configuration file.'),
    authorities,
    patientData: z
      .boolean()
      .default(false)
      .describe(
        'Whether the patient is named. Without, the accession number and the Study Instance UID alone are.',
      ),
  })
  .superRefine(({ url, tokenFile, user, passwordFile, patientData }, context) => {
    const fault = faultIn(context);
    const { username, password, search, hash } = new URL(url);
    if (username !== '' || password !== '') fault('url', PASSWORD_IN_URL);
    if (search !== '' || hash !== '') fault('url', 'is no base: it has a query or a fragment');
    if ((user === undefined) !== (passwordFile === undefined)) {
      fault('user', 'and passwordFile go together', 'give both, or neither');
    }
    if (tokenFile !== undefined && user !== undefined) {
      fault('tokenFile', 'and user are two ways to sign in', 'give one of them');
    }
    if (!isInClear(url)) return;
    for (const [path, isGiven] of Object.entries({
      tokenFile: tokenFile !== undefined,
      user: user !== undefined,
      patientData,
    })) {
      if (isGiven) fault(path, IN_CLEAR, 'give an https URL');
    }
  });

/** Component of an HD (HL7 v2.5.1 chapter 2A) that needs no escape sequence. */
const namespaceId = z
  .string()
  .regex(/^[^|^~\\&\p{Cc}]{1,20}$/u, 'is longer than 20 characters, or has one of | ^ ~ \\ &');

const hl7 = z.strictObject({
  host: host.describe('Host name or address of the receiver, such as an interface engine.'),
  port: z.int().min(1).max(65535).default(2575).describe('Its port for MLLP.'),
  tls: peerTls.exactOptional().describe('Speaks TLS with it, by BCP 195.'),
  sendingApplication: namespaceId.default('VIGIL').describe('MSH-3.'),
  sendingFacility: namespaceId.exactOptional().describe('MSH-4.'),
  receivingApplication: namespaceId.exactOptional().describe('MSH-5.'),
  receivingFacility: namespaceId.exactOptional().describe('MSH-6.'),
  processingId: z
    .enum(['production', 'training', 'debugging'])
    .default('production')
    .describe('MSH-11.'),
  patientData: z
    .boolean()
    .default(false)
    .describe(
      'Whether the message has a PID segment. Without, it names the order numbers and the Study Instance UID alone.',
    ),
});

const PROTOCOLS = ['email', 'webhook', 'hl7', 'fhir'] as const;

const channel = z
  .strictObject({
    email: email.exactOptional().describe('An e-mail to people.'),
    webhook: webhook.exactOptional().describe('JSON by HTTP POST to a program.'),
    hl7: hl7.exactOptional().describe('An HL7 v2.5.1 ORU^R01 by MLLP, as an RIS takes it.'),
    fhir: fhir.exactOptional().describe('A DiagnosticReport of FHIR R4 by HTTP.'),
    maxAttempts: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe('Attempts before a notification is given up and shown to a person.'),
    retryFirstSeconds: seconds(0.1, 3600)
      .default(2)
      .describe('The first retry comes within this time; the span doubles with each attempt.'),
    retryLongestSeconds: seconds(0.1, 86400).default(600).describe('The span grows up to this.'),
    timeoutSeconds: seconds(0.1, 600).default(30).describe('Longest wait for an answer.'),
  })
  .superRefine((written, context) => {
    const given = PROTOCOLS.filter((protocol) => written[protocol] !== undefined);
    if (given.length === 1) return;
    const message = given.length === 0 ? 'says not how to tell' : `has ${given.join(' and ')}`;
    const hint = `give one of ${PROTOCOLS.join(', ')}`;
    context.addIssue({ code: 'custom', message, params: { hint } });
  });

export const channels = z
  .record(
    z.string().regex(NAME, 'is no name: a lower-case letter, then letters, digits or "-"'),
    channel,
  )
  .default({})
  .describe('Who is told of findings by other means than DICOM, by name; routes notify them.');

export type ChannelText = z.output<typeof channel>;
