import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** A second reader in the configuration, for a package that `scepticIn` has put beside the file. */
export const SCEPTIC = 'inference: { secondReaders: { sceptic: { model: ./sceptic } } }';

/** The shipped model with a calibration that finds nothing anywhere. */
export async function scepticIn(folder: string): Promise<void> {
  const path = join(folder, 'sceptic');
  await cp(resolve('models/vigil-ich-small'), path, { recursive: true });
  const manifest = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'));
  for (const line of Object.values<{ intercept: number }>(manifest.decision.calibration)) {
    line.intercept = -40;
  }
  const text = JSON.stringify({ ...manifest, name: 'sceptic', version: '9.0.0' });
  await writeFile(join(path, 'manifest.json'), text);
}
