import type { PictureWindow } from '../../../admin/api/schemas/studies.js';
import { API } from '../../api/client.js';

/** Where the node renders a slice; `heatMap` is the revision of the analysis whose Grad-CAM lies over it. */
export function pictureUrl(
  studyInstanceUid: string,
  seriesInstanceUid: string,
  {
    sopInstanceUid,
    frame,
    window,
    heatMap,
  }: {
    readonly sopInstanceUid: string;
    readonly frame: number;
    readonly window: PictureWindow;
    readonly heatMap?: number;
  },
): string {
  const query = new URLSearchParams({ window });
  if (frame !== 1) query.set('frame', String(frame));
  if (heatMap !== undefined) query.set('heatMap', String(heatMap));
  return `${API}/studies/${studyInstanceUid}/series/${seriesInstanceUid}/slices/${sopInstanceUid}/picture.png?${query}`;
}

/** Fetches pictures into the browser's cache, so that scrolling to them does not wait. */
export function preload(urls: readonly string[]): void {
  for (const url of urls) new Image().src = url;
}
