import type { Finding } from '../domain/finding.js';
import type { SecondReading } from '../domain/second-reading.js';

/** A row of the catalog as what it says. */
export function readingOf(row: unknown): SecondReading {
  const { reader, readAt, finding } = row as Omit<SecondReading, 'finding'> & { finding: string };
  return { reader, readAt, finding: JSON.parse(finding) as Finding };
}
