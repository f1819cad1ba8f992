import { z } from 'zod';
import { time } from './common.js';

export const auditQuery = z.object({
  cursor: z.coerce.number().int().min(1).exactOptional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const auditEntry = z.object({
  id: z.int(),
  at: time,
  actor: z.string().describe('Account, `token:<name>`, or `command line`.'),
  action: z.string().describe('Such as sign-in, sign-in-failed, study-viewed, resend.'),
  subject: z.string().nullable().describe('Account, UID or name; never patient data.'),
  detail: z.record(z.string(), z.unknown()),
});

export const auditPage = z.object({
  entries: z.array(auditEntry).describe('Newest first.'),
  next: z.int().nullable(),
});

export type AuditEntry = z.output<typeof auditEntry>;
export type AuditPage = z.output<typeof auditPage>;
