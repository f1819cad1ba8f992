/** A probability in percent that never claims certainty. */
export function percent(probability: number): string {
  if (probability >= 0.995) return '> 99 %';
  if (probability < 0.005) return '< 1 %';
  return `${Math.round(probability * 100)} %`;
}
