import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Notification } from '../domain/notification.js';
import type { SendOptions, SendResult } from '../domain/send-result.js';
import { CANCELLED, failed, type Tell } from './channel.js';

/** A notification on its way: its file, and the hex SHA-256 that the file must have. */
export interface OutgoingNotification {
  readonly file: string;
  readonly sha256?: string | undefined;
}

/**
 * Tells a receiver of notifications, one after the other. Never rejects. Where the receiver cannot be reached those
 * behind fail untried: they keep their place and their attempts.
 */
export async function sendNotifications(
  { tell }: { readonly tell: Tell },
  notifications: readonly OutgoingNotification[],
  { signal = new AbortController().signal, onResult }: SendOptions,
): Promise<void> {
  let unreachable: SendResult | undefined;
  for (const [index, outgoing] of notifications.entries()) {
    unreachable ??= signal.aborted ? CANCELLED : undefined;
    if (unreachable?.type === 'failed') {
      onResult?.(index, { ...unreachable, untried: true });
      continue;
    }
    const notification = await read(outgoing);
    const result = 'type' in notification ? notification : await tell(notification, signal);
    if (result.type === 'failed' && UNREACHABLE.test(result.code)) unreachable = result;
    onResult?.(index, result);
  }
}

const UNREACHABLE = /^(connection|host|connect|tls|cancelled)\b/;

async function read({ file, sha256 }: OutgoingNotification): Promise<Notification | SendResult> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return failed('permanent', 'file-unreadable', `The notification cannot be read (${code})`);
  }
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    return failed('permanent', 'file-altered', 'The notification is not what was written');
  }
  return JSON.parse(bytes.toString('utf8')) as Notification;
}
