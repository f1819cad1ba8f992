import { readFile } from 'node:fs/promises';
import { serveThread } from '../thread.js';
import { capturePng, type SliceRequest, slicePng } from './screen-picture.js';

/** The thread that draws for screens: decoding one compressed slice takes longer than receiving ten. */
const functions = {
  slice: async (file: string, request: Omit<SliceRequest, 'part10'>) =>
    slicePng({ ...request, part10: await readFile(file) }),
  capture: async (file: string) => capturePng(await readFile(file)),
};

export type PictureFunctions = typeof functions;

serveThread(functions);
