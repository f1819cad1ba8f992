import { z } from 'zod';
import { time } from './common.js';

/** The configuration's whole text: it is stored to the byte, so comments stay. */
const text = z.string().max(64 * 1024);
const reason = z.string().trim().min(3).max(500).describe('Why, for the history.');
const days = z.int().min(1).max(90).default(7);

/** Hex SHA-256 of the text; also what If-Match takes. */
const version = z.string().regex(/^[0-9a-f]{64}$/);

/** One thing that is wrong or doubtful, with its place in the text. */
const configProblem = z.object({
  path: z.string().describe('Such as routes[0].send.to; empty for the text as a whole.'),
  message: z.string(),
  hint: z.string().optional(),
  line: z.int().optional().describe('From 1, as column.'),
  column: z.int().optional(),
  variable: z.string().optional().describe('The environment variable that the value came from.'),
});

export const routingText = z.object({ text });
export const replayRequest = z.object({ text, days });
export const routingChange = z.object({ text, reason });
export const ifMatch = z.object({
  'if-match': z
    .string()
    .regex(/^"?[0-9a-f]{64}"?$/)
    .describe('The version that the text was made from.'),
});

export const routing = z.object({
  text,
  version,
  number: z.int().nullable().describe('Of the version; null while the node has not taken note.'),
  inForce: z.boolean().describe('Whether the node works by this text.'),
  problems: z.array(configProblem),
  warnings: z.array(configProblem),
});

export const validation = z.object({
  problems: z.array(configProblem),
  warnings: z.array(configProblem),
});

export const rulesDiff = z.object({
  changes: z.array(
    z.object({
      route: z.string(),
      change: z.enum(['added', 'removed', 'changed', 'moved']),
      parts: z.array(z.string()).optional(),
    }),
  ),
});

export const replay = z.object({
  studies: z.int().describe('That were looked at.'),
  rerouted: z.array(
    z.object({
      studyInstanceUid: z.string(),
      outcome: z.string(),
      lastInstanceAt: time,
      added: z.array(z.string()).describe('Deliveries, such as "sr to pacs".'),
      removed: z.array(z.string()),
      routesBefore: z.array(z.string()),
      routesAfter: z.array(z.string()),
      unsent: z.boolean().describe('Whether nothing of it would be sent any more.'),
    }),
  ),
});

const configVersion = z.object({
  version,
  number: z.int(),
  appliedAt: time,
  who: z.string().describe('Account, user of the operating system, or "file".'),
  how: z.enum(['start', 'file', 'command', 'api']),
  reason: z.string(),
  rollbackTo: z.int().nullable().describe('Number of the version whose text it has again.'),
  inForceAt: time.nullable().describe('Since when the node has worked by it; null: never.'),
});

export const applied = z.object({
  version,
  number: z.int(),
  changed: z.boolean().describe('False where the file said so already.'),
  inForce: z.boolean(),
  restartNeeded: z.array(z.string()).describe('Keys that count from the next start.'),
  warnings: z.array(configProblem),
});

export const historyQuery = z.object({
  cursor: z.coerce.number().int().min(1).exactOptional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const history = z.object({
  versions: z.array(configVersion).describe('Newest first.'),
  next: z.int().nullable(),
});

export const versionParams = z.object({ number: z.coerce.number().int().min(1) });
export const versionText = configVersion.extend({ text });

export const rollbackRequest = z.object({
  version: z
    .union([z.int().min(1), version])
    .describe('Number or version of what is to be there again.'),
  reason,
});

export type Routing = z.output<typeof routing>;
export type ConfigProblem = z.output<typeof configProblem>;
export type Validation = z.output<typeof validation>;
export type RulesDiff = z.output<typeof rulesDiff>;
export type Replay = z.output<typeof replay>;
export type ConfigVersion = z.output<typeof configVersion>;
export type ConfigVersionText = z.output<typeof versionText>;
export type Applied = z.output<typeof applied>;
export type History = z.output<typeof history>;
