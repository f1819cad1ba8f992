import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../log.js';
import { DamageStore } from '../store/damage-store.js';
import { CATALOG_FILE, CatalogDamagedError, findCatalogDamage } from '../store/database.js';
import { Verifier } from '../store/verifier.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { table } from './text.js';

const MB = 1024 * 1024;

/** `vigil verify`: checks the catalog and every file of the archive against its checksum. */
export async function runVerify(options: {
  config: string;
  json: boolean;
  /** MB per second. */
  rate?: number;
}): Promise<number> {
  // Receiving and inference go first.
  setPriority(10);
  const begun = performance.now();
  const result = await withCatalog(options.config, async (catalog, settings) => {
    const file = join(settings.storage.folder, CATALOG_FILE);
    const catalogDamage = findCatalogDamage(catalog);
    // Rows that cannot be trusted prove nothing about files.
    if (catalogDamage !== undefined) throw new CatalogDamagedError(file, catalogDamage);
    const bytesPerSecond = (options.rate ?? Number.POSITIVE_INFINITY) * MB;
    const damage = new DamageStore(catalog);
    const verifier = new Verifier({
      catalog,
      folder: settings.storage.folder,
      damage,
      log: createLog({ level: 'silent' }),
    });
    return verifier.run(bytesPerSecond);
  });
  const { files, bytes, damaged } = result;
  const ok = damaged.length === 0;
  if (options.json) {
    const seconds = (performance.now() - begun) / 1000;
    console.log(JSON.stringify({ ok, files, bytes, seconds, problems: damaged }));
  } else {
    if (damaged.length > 0) {
      console.log(table(damaged.map(({ problem, kind, file }) => [problem, kind, file])));
    }
    console.log(
      `${files} files (${Math.round(bytes / MB)} MB) checked, ${damaged.length} with a problem`,
    );
  }
  return ok ? EXIT.done : EXIT.failed;
}
