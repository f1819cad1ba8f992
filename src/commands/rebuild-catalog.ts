import { loadSettings } from '../config/load-settings.js';
import { rebuildCatalog } from '../store/catalog-rebuild.js';
import { FolderLock } from '../store/folder-lock.js';
import { EXIT } from './exit-codes.js';

/** `vigil rebuild-catalog`: a new catalog from what can be read of the old one and from the archive's files. */
export async function runRebuildCatalog(options: {
  config: string;
  json: boolean;
}): Promise<number> {
  const { settings } = await loadSettings(options.config);
  const { folder } = settings.storage;
  const lock = FolderLock.take(folder);
  try {
    const result = await rebuildCatalog(folder);
    if (options.json) {
      console.log(JSON.stringify(result));
      return EXIT.done;
    }
    const { kept, rows, lostTables, instances, damaged } = result;
    console.log(`The old catalog is kept as ${kept}`);
    console.log(
      `${rows} rows taken over${lostTables.length > 0 ? `, not all of: ${lostTables.join(', ')}` : ''}`,
    );
    console.log(`${instances} images without a row: the node takes them in when it starts`);
    for (const file of damaged) console.log(`left where it is, not as it was received: ${file}`);
    console.log('Start the node, then run "vigil verify".');
    return EXIT.done;
  } finally {
    lock.release();
  }
}
