import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { AuditRecord } from '../../users/account-rows.js';
import { callerOf } from '../access.js';
import { answers, bytes } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { ApiProblem } from '../api-problem.js';
import * as schemas from '../schemas/studies.js';

/** What is known of studies, and their files; the application answers it. Undefined: there is no such thing. */
export interface StudyReader {
  search(search: schemas.StudySearch): Promise<schemas.StudyPage>;
  study(studyInstanceUid: string): Promise<schemas.StudyDetail | undefined>;
  slices(study: string, series: string): Promise<schemas.Slices['slices']>;
  /** A slice as PNG. */
  slicePicture(
    place: { readonly study: string; readonly series: string; readonly instance: string },
    query: z.output<typeof schemas.pictureQuery>,
  ): Promise<Uint8Array | undefined>;
  /** An object of Vigil's own, or an instance as it was received, as a Part 10 file. */
  object(uid: string): Promise<ObjectOnDisk | undefined>;
  /** A secondary capture as PNG. */
  objectPicture(object: ObjectOnDisk): Promise<Uint8Array>;
  /** The content tree; undefined where the object has none. */
  report(object: ObjectOnDisk): Promise<schemas.ReportItem | undefined>;
}

export interface ObjectOnDisk {
  readonly kind: string;
  readonly studyInstanceUid: string;
  /** Absolute path of the Part 10 file. */
  readonly path: string;
}

/** A picture never changes, but it is a patient's: a shared machine forgets it soon. */
const PICTURE_CACHE = 'private, max-age=300';
const config = { access: 'viewer' } as const;

/** Worklist, study, pictures and objects. */
export function studyRoutes(reader: StudyReader, audit: (entry: AuditRecord) => void): ApiRoutes {
  return (api) => {
    api.post(
      '/studies/search',
      {
        schema: {
          summary: 'The worklist: by POST, because names belong into no URL',
          body: schemas.studySearch,
          response: answers(schemas.studyPage),
        },
        config,
      },
      ({ body }) => reader.search(body),
    );

    api.get(
      '/studies/:study',
      {
        schema: {
          summary: 'What happened to a study, and why',
          params: schemas.studyParams,
          response: answers(schemas.studyDetail),
        },
        config,
      },
      async (request) => {
        const { study } = request.params;
        const detail = found(await reader.study(study), 'study');
        audit({
          actor: callerOf(request).name,
          action: 'study-viewed',
          subject: study,
          detail: {},
        });
        return detail;
      },
    );

    api.get(
      '/studies/:study/series/:series/slices',
      {
        schema: {
          summary: 'The slices of a series, in the order of reading',
          params: schemas.seriesParams,
          response: answers(schemas.slices),
        },
        config,
      },
      async ({ params: { study, series } }) => {
        const slices = await reader.slices(study, series);
        return { slices: found(slices.length > 0 ? slices : undefined, 'series') };
      },
    );

    api.get(
      '/studies/:study/series/:series/slices/:instance/picture.png',
      {
        schema: {
          summary: 'A slice in a window, with a Grad-CAM over it where asked for',
          params: schemas.sliceParams,
          querystring: schemas.pictureQuery,
          response: bytes('image/png', 'The slice in radiological display'),
        },
        config,
      },
      async ({ params, query }, reply) => {
        const picture = found(await drawn(reader.slicePicture(params, query)), 'slice');
        return reply
          .type('image/png')
          .header('cache-control', PICTURE_CACHE)
          .send(asBuffer(picture));
      },
    );

    api.get(
      '/objects/:object/picture.png',
      {
        schema: {
          summary: "One of Vigil's secondary captures as PNG",
          params: schemas.objectParams,
          response: bytes('image/png', 'The picture'),
        },
        config,
      },
      async ({ params }, reply) => {
        const object = found(await reader.object(params.object), 'object');
        if (object.kind !== 'heatmap' && object.kind !== 'summary') {
          throw new ApiProblem(404, `An object of kind ${object.kind} is no picture`);
        }
        const picture = await drawn(reader.objectPicture(object));
        return reply
          .type('image/png')
          .header('cache-control', PICTURE_CACHE)
          .send(asBuffer(picture));
      },
    );

    api.get(
      '/objects/:object/report',
      {
        schema: {
          summary: 'The content tree of a structured report',
          params: schemas.objectParams,
          response: answers(schemas.reportItem),
        },
        config,
      },
      async ({ params }) => {
        const object = found(await reader.object(params.object), 'object');
        return found(await reader.report(object), 'content tree');
      },
    );

    api.get(
      '/objects/:object/file',
      {
        schema: {
          summary: 'An object or instance as Part 10 file',
          params: schemas.objectParams,
          response: bytes('application/dicom', 'The file (PS3.10)'),
        },
        config,
      },
      async (request, reply) => {
        const { object: uid } = request.params;
        const object = found(await reader.object(uid), 'object');
        const file = await readFile(object.path);
        audit({
          actor: callerOf(request).name,
          action: 'object-downloaded',
          subject: uid,
          detail: { studyInstanceUid: object.studyInstanceUid },
        });
        return reply
          .type('application/dicom')
          .header('content-disposition', `attachment; filename="${uid}.dcm"`)
          .send(file);
      },
    );
  };
}

/** @throws ApiProblem 404 */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new ApiProblem(404, `There is no such ${what}`);
  return value;
}

/** Pixels that cannot be read are no fault of the node. */
async function drawn<T>(picture: Promise<T>): Promise<T> {
  try {
    return await picture;
  } catch (error) {
    const { code = 'unknown', message } = error as { code?: string; message: string };
    if (code.startsWith('E')) throw new ApiProblem(404, `The file cannot be read (${code})`);
    if (code === 'unknown') throw error;
    throw new ApiProblem(422, `${message} (${code})`);
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
