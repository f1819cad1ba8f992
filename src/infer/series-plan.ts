import { createHash } from 'node:crypto';
import type { SourceImage } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import type { InputSpec } from './model-manifest.js';
import {
  distances,
  imagesInOrder,
  median,
  onePerPosition,
  type SeriesImage,
} from './series-images.js';

export type PlannedImage = SeriesImage<StoredInstance>;

/** The unit that the CNN reads: one slice, or the thin slices of one cell of the slab grid. */
export interface PlannedSlab {
  /**
   * Changes with every byte that the CNN's input depends on: the slab's own images and those of its neighbours. Equal
   * keys mean equal input under one model.
   */
  readonly key: string;
  /** The mean of its images' positions along the slice normal. */
  readonly positionMm: number;
  /** Inferior to superior; never empty. */
  readonly images: readonly PlannedImage[];
  /** For each channel of the model's input the index of the slab that it reads. */
  readonly channels: readonly number[];
}

/** Fewer slices than this say little about the distance between slices. */
const FEWEST_TO_JUDGE_SPACING = 4;

/**
 * Orders a series' images along the slice normal, keeps one of each position, and joins thin slices to slabs on the
 * grid that docs/model-package.md fixes in the patient (step 4). Slabs come inferior to superior.
 */
export function planSeries(series: readonly StoredInstance[], input: InputSpec): PlannedSlab[] {
  const images = onePerPosition(imagesInOrder(series));
  const groups = isThin(images, input.slab.belowMm)
    ? groupByCell(images, input.slab.thicknessMm)
    : images.map((image) => [image]);
  const last = groups.length - 1;
  return groups.map((group, i) => {
    const channels = input.channels.map(({ offset }) => Math.min(Math.max(i + offset, 0), last));
    return {
      key: keyOf(channels.map((at) => groups[at] ?? [])),
      positionMm: group.reduce((sum, { positionMm }) => sum + positionMm, 0) / group.length,
      images: group,
      channels,
    };
  });
}

/**
 * The slabs whose input is unlikely to change while the rest of the series arrives: those with slabs close by on both
 * sides, as far as the channels and the averaging reach. A later slice in between changes the key, so that a wrong
 * guess costs time but never an answer.
 */
export function settledSlabs(slabs: readonly PlannedSlab[], input: InputSpec): PlannedSlab[] {
  const images = slabs.reduce((sum, slab) => sum + slab.images.length, 0);
  if (images < FEWEST_TO_JUDGE_SPACING) return [];
  const thin = images > slabs.length ? 1 : 0;
  const reach = thin + Math.max(...input.channels.map(({ offset }) => Math.abs(offset)));
  if (reach === 0) return [...slabs];
  const gaps = distances(slabs.map(({ positionMm }) => positionMm));
  const usual = median(gaps);
  return slabs.filter((_, i) => {
    const around = gaps.slice(Math.max(i - reach, 0), i + reach);
    return around.length === 2 * reach && around.every((gap) => gap < 1.5 * usual);
  });
}

/** The image nearest to the slab's middle stands for it in the results. */
export function sourceOf(slab: PlannedSlab): SourceImage {
  const distance = (image: PlannedImage) => Math.abs(image.positionMm - slab.positionMm);
  const { header, frame } = slab.images.reduce((best, image) =>
    distance(image) < distance(best) ? image : best,
  );
  const { sopClassUid, sopInstanceUid, frames } = header;
  return { sopClassUid, sopInstanceUid, ...(frames.length > 1 && { frame }) };
}

function isThin(images: readonly PlannedImage[], belowMm: number): boolean {
  return median(distances(images.map(({ positionMm }) => positionMm))) < belowMm;
}

function groupByCell(images: readonly PlannedImage[], thicknessMm: number): PlannedImage[][] {
  const cells = new Map<number, PlannedImage[]>();
  for (const image of images) {
    const cell = Math.floor(image.positionMm / thicknessMm);
    const members = cells.get(cell);
    if (members) members.push(image);
    else cells.set(cell, [image]);
  }
  return [...cells.values()];
}

function keyOf(read: readonly (readonly PlannedImage[])[]): string {
  const hash = createHash('sha256');
  for (const images of read) {
    for (const { instance, frame } of images) hash.update(`${instance.sha256}#${frame} `);
    hash.update('|');
  }
  return hash.digest('hex');
}
