/** What pads text and UIDs to an even length (PS3.5 6.2): spaces and, by some devices, nulls. */
const PADDING = ' \0';

/**
 * The text without the padding at its ends. In proportion to the text's length, which a regular expression that looks
 * for the padding at the end is not.
 */
export function withoutPadding(text: string, padding = PADDING): string {
  let start = 0;
  let end = text.length;
  while (start < end && padding.includes(text.charAt(start))) start += 1;
  while (end > start && padding.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
