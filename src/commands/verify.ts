import { setPriority } from 'node:os';
import { createLog } from '../log.js';
import { DamageStore } from '../store/damage-store.js';
import { findCatalogDamage } from '../store/database.js';
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
    const catalogProblem = findCatalogDamage(catalog);
    const bytesPerSecond = (options.rate ?? Number.POSITIVE_INFINITY) * MB;
    const damage = new DamageStore(catalog);
    const verifier = new Verifier({
      catalog,
      folder: settings.storage.folder,
      damage,
      log: createLog({ level: 'silent' }),
    });
    return { catalogProblem, ...(await verifier.run(bytesPerSecond)) };
  });
  const { catalogProblem, files, bytes, damaged } = result;
  const ok = damaged.length === 0 && catalogProblem === undefined;
  if (options.json) {
    const seconds = (performance.now() - begun) / 1000;
    const catalog = catalogProblem ?? 'ok';
    console.log(JSON.stringify({ ok, catalog, files, bytes, seconds, problems: damaged }));
  } else {
    if (catalogProblem !== undefined) console.log(`The catalog is damaged: ${catalogProblem}`);
    if (damaged.length > 0) {
      console.log(table(damaged.map(({ problem, kind, file }) => [problem, kind, file])));
    }
    console.log(
      `${files} files (${Math.round(bytes / MB)} MB) checked, ${damaged.length} with a problem`,
    );
  }
  return ok ? EXIT.done : EXIT.failed;
}
