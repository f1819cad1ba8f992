import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StudyReader } from './admin/api/routes/studies.js';
import type { PictureFunctions } from './report/picture-thread.js';
import { readReport } from './report/read-report.js';
import type { ConsoleFunctions } from './store/console-thread.js';
import type { Thread } from './thread.js';

/** Joins what the API shows of studies to the threads that read the catalog and draw pictures. */
export function studyReader(
  folder: string,
  catalog: Thread<ConsoleFunctions>,
  pictures: Thread<PictureFunctions>,
): StudyReader {
  return {
    search: (search) => catalog.call('search', search),
    study: (uid) => catalog.call('study', uid),
    slices: (study, series) => catalog.call('slices', study, series),
    slicePicture: async (place, query) => {
      const { frame, heatMap: revision } = query;
      const slice = await catalog.call('slice', place, frame);
      if (slice === undefined) return undefined;
      const heatMap =
        revision === undefined
          ? undefined
          : await catalog.call('heatMap', place.study, revision, place.instance, frame);
      const { file, geometry } = slice;
      return pictures.call('slice', join(folder, file), {
        geometry,
        frame,
        window: query.window,
        heatMap,
      });
    },
    object: async (uid) => {
      const found = await catalog.call('object', uid);
      if (found === undefined) return undefined;
      const { file, ...object } = found;
      return { ...object, path: join(folder, file) };
    },
    objectPicture: ({ path }) => pictures.call('capture', path),
    report: async ({ path }) => readReport(await readFile(path)),
  };
}
