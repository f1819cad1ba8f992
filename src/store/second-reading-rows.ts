import type { Finding } from '../domain/finding.js';
import type { SecondReading } from '../domain/second-reading.js';
import type { Catalog } from './database.js';
import { READINGS_OF_ANALYSIS } from './second-reading-queries.js';

/** What other models have said of an analysis so far. */
export function readingsOf(catalog: Catalog, analysisId: number): SecondReading[] {
  return catalog.prepare(READINGS_OF_ANALYSIS).all(analysisId).map(readingOf);
}

function readingOf(row: unknown): SecondReading {
  const { reader, readAt, finding } = row as Omit<SecondReading, 'finding'> & { finding: string };
  return { reader, readAt, finding: JSON.parse(finding) as Finding };
}
