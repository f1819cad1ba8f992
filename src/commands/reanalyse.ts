import { StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';

/** `vigil reanalyse <study>`: the series is chosen and read again. */
export async function runReanalyse(options: {
  config: string;
  json: boolean;
  studyInstanceUid: string;
}): Promise<number> {
  const { studyInstanceUid } = options;
  const requested = await withCatalog(options.config, (catalog) =>
    new StatusStore(catalog).requestReanalysis(studyInstanceUid),
  );
  if (options.json) console.log(JSON.stringify({ studyInstanceUid, requested }));
  if (!requested) {
    console.error(`${studyInstanceUid} is not in the catalog`);
    return EXIT.notFound;
  }
  if (!options.json) {
    console.log(
      'The study is read again. The same input and model give the same objects, which are not sent twice.',
    );
  }
  return EXIT.done;
}
