import { randomUUID } from 'node:crypto';

/**
 * Whether the text is a UID: components of digits between dots, 64 characters at most (PS3.5 9.1). Leading zeros
 * break the rule but are found in the field and harm nobody; no UID can name a folder other than its own.
 */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)*$/.test(text);
}

/** A UID that nobody can guess: a random UUID under 2.25 (PS3.5 B.2). */
export function randomUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
}
