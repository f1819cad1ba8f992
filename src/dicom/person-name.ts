/**
 * A value of VR PN (PS3.5 6.2.1) as a person reads it: `Family, Given Middle`, with the ideographic form behind it where
 * there is one.
 */
export function personName(value: string): string {
  const [alphabetic = '', ideographic = ''] = value.split('=').map(readable);
  if (alphabetic === '' || ideographic === '') return alphabetic || ideographic;
  return `${alphabetic} (${ideographic})`;
}

function readable(group: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = group
    .split('^')
    .map((part) => part.trim());
  const rest = [prefix, given, middle, suffix].filter((part) => part !== '').join(' ');
  return [family, rest].filter((part) => part !== '').join(', ');
}
