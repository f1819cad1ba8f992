import { ConflictStore } from '../store/conflict-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';

/**
 * `vigil settle`: a person has looked at the conflicts of a study, or of all. They are no alarm any more and retention may
 * remove the study; what was reported stands.
 */
export function runSettle(options: {
  config: string;
  json: boolean;
  studyInstanceUid?: string | undefined;
  all: boolean;
}): Promise<number> {
  const { studyInstanceUid, all } = options;
  if ((studyInstanceUid === undefined) !== all) {
    console.error('Say what to settle: a study, or --all');
    return Promise.resolve(EXIT.usage);
  }
  return withCatalog(options.config, (catalog, settings) => {
    const settled = new ConflictStore(catalog, settings.storage.folder).settle(studyInstanceUid);
    if (options.json) console.log(JSON.stringify({ studyInstanceUid, settled }));
    else if (settled > 0) console.log(`${settled} conflicts are settled`);
    if (settled === 0) {
      console.error('Nothing to settle: no open conflict there (vigil status)');
      return EXIT.notFound;
    }
    return EXIT.done;
  });
}
