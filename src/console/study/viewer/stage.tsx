import { useEffect, useRef, useState } from 'preact/hooks';
import type { PictureWindow } from '../../../admin/api/schemas/studies.js';
import { pictureUrl, preload } from './pictures.js';
import type { Slice } from './slices.js';

/** Pictures that are fetched ahead on either side. */
const AHEAD = 3;
/** Wheel travel for one slice, in pixels; a notch of most mice is 100 or more. */
const WHEEL_STEP = 40;
/** The slice, and its Grad-CAM over it as strongly as wanted. The wheel scrolls; a click gives the keys to the slider. */
export function Stage({
  studyInstanceUid,
  seriesInstanceUid,
  slices,
  place,
  window,
  heatMap,
  opacity,
  move,
  takeKeys,
}: {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly slices: readonly Slice[];
  readonly place: number;
  readonly window: PictureWindow;
  /** Revision of the analysis that has a heat map here. */
  readonly heatMap: number | undefined;
  /** 0..1. */
  readonly opacity: number;
  readonly move: (place: number) => void;
  readonly takeKeys: () => void;
}) {
  const urlAt = (at: number, revision?: number): string | undefined => {
    const slice = slices[at];
    if (slice === undefined) return undefined;
    const { sopInstanceUid, frame } = slice;
    return pictureUrl(studyInstanceUid, seriesInstanceUid, {
      sopInstanceUid,
      frame,
      window,
      ...(revision === undefined ? {} : { heatMap: revision }),
    });
  };
  const url = urlAt(place);
  const [broken, setBroken] = useState<string>();
  const stage = useRef<HTMLDivElement>(null);
  const current = useRef({ place, move, takeKeys });
  current.current = { place, move, takeKeys };
  useEffect(() => {
    const element = stage.current;
    if (element === null) return;
    let travel = 0;
    const scroll = (event: WheelEvent) => {
      event.preventDefault();
      travel += event.deltaY;
      if (Math.abs(travel) < WHEEL_STEP) return;
      current.current.move(current.current.place - Math.sign(travel));
      travel = 0;
    };
    const press = () => current.current.takeKeys();
    // Not passive: the page must stay where it is while the series is scrolled.
    element.addEventListener('wheel', scroll, { passive: false });
    element.addEventListener('pointerup', press);
    return () => {
      element.removeEventListener('wheel', scroll);
      element.removeEventListener('pointerup', press);
    };
  }, []);
  const ahead = Array.from({ length: 2 * AHEAD + 1 }, (_, i) => urlAt(place + i - AHEAD));
  const wanted = ahead.filter((one) => one !== undefined).join(' ');
  useEffect(() => preload(wanted.split(' ')), [wanted]);

  return (
    <div ref={stage} class="stage">
      {broken === url ? (
        <p role="status">This image cannot be shown.</p>
      ) : (
        <>
          <img src={url} alt="" draggable={false} onError={() => setBroken(url)} />
          {heatMap !== undefined && (
            <img
              class="heat-picture"
              src={urlAt(place, heatMap)}
              alt=""
              draggable={false}
              style={{ opacity }}
            />
          )}
          <span class="side right" aria-hidden="true">
            R
          </span>
          <span class="side left" aria-hidden="true">
            L
          </span>
        </>
      )}
    </div>
  );
}
