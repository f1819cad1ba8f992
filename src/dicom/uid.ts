/**
 * Whether the text is a UID: components of digits between dots, 64 characters at most (PS3.5 9.1). Leading zeros
 * break the rule but are found in the field and harm nobody; no UID can name a folder other than its own.
 */
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)*$/.test(text);
}
