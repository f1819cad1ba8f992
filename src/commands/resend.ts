import { DeliveryStore } from '../store/delivery-store.js';
import { StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';

/** `vigil resend <study>`: the newest report's objects go out again, with the same UIDs. */
export async function runResend(options: {
  config: string;
  json: boolean;
  studyInstanceUid: string;
  to?: string | undefined;
}): Promise<number> {
  const { studyInstanceUid, to } = options;
  const resent = await withCatalog(options.config, (catalog, settings) =>
    new DeliveryStore(catalog, settings.storage.folder).resend(studyInstanceUid, to),
  );
  if (options.json) console.log(JSON.stringify({ studyInstanceUid, resent }));
  else if (resent > 0) console.log(`${resent} deliveries are due again`);
  if (resent === 0) {
    console.error('Nothing to resend: the study has no settled delivery there (vigil show)');
    return EXIT.notFound;
  }
  return EXIT.done;
}

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
