/**
 * Text made by Vigil, for a VR of limited length (PS3.5 Table 6.2-1): cut between characters where it takes more than
 * `bytes` in UTF-8. The limit is one of characters, but validators count bytes.
 */
export function shortText(text: string, bytes = 64): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let kept = '';
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes - 3) break;
    kept += character;
  }
  return `${kept}...`;
}
