import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PictureWindow } from '../../../admin/api/schemas/studies.js';
import { noteQuery } from '../../router.js';
import { classWord, percent } from '../../words.js';
import { type Analysis, CLASS_ORDER } from '../finding.js';
import { ProbabilityPlot } from './probability-plot.js';
import {
  firstPlace,
  indexOf,
  nearestRead,
  placesOf,
  type Slice,
  type SliceReference,
} from './slices.js';
import { Stage } from './stage.js';
import { HeatSlider, SliceSlider, WindowChoice } from './viewer-controls.js';

/** How long a slice is looked at before the address says so. */
const REST_MS = 400;

/** Scrolls through one series, together with the plot of what the model said of each slice. */
export function SeriesViewer({
  studyInstanceUid,
  seriesInstanceUid,
  slices,
  analysis,
  asked,
  wanted,
}: {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly slices: readonly Slice[];
  /** Of this series; undefined where it was not read. */
  readonly analysis: Analysis | undefined;
  /** The slice of the address, from 1; 0 where it names none. */
  readonly asked: number;
  readonly wanted: SliceReference | undefined;
}) {
  const [place, setPlace] = useState(() => {
    const pointed = wanted === undefined ? -1 : indexOf(slices, wanted);
    return pointed >= 0 ? pointed : firstPlace(slices, analysis, asked);
  });
  const [window, setWindow] = useState<PictureWindow>('brain');
  const [opacity, setOpacity] = useState(1);
  const slider = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pointed = wanted === undefined ? -1 : indexOf(slices, wanted);
    if (pointed >= 0) setPlace(pointed);
  }, [wanted, slices]);
  useEffect(() => {
    const timer = setTimeout(
      () => noteQuery({ series: seriesInstanceUid, slice: String(place + 1) }),
      REST_MS,
    );
    return () => clearTimeout(timer);
  }, [seriesInstanceUid, place]);

  const places = useMemo(
    () => (analysis === undefined ? [] : placesOf(analysis, slices)),
    [analysis, slices],
  );
  const current = Math.min(place, slices.length - 1);
  const slice = slices[current];
  if (slice === undefined) return null;
  const isKey = analysis?.keySlices.some((key) => indexOf(slices, key) === current) ?? false;
  const move = (to: number) => setPlace(Math.min(slices.length - 1, Math.max(0, to)));
  return (
    <>
      <div class="viewer-controls row">
        <WindowChoice window={window} choose={setWindow} />
        <HeatSlider opacity={opacity} choose={setOpacity} disabled={!isKey} />
      </div>
      <Stage
        studyInstanceUid={studyInstanceUid}
        seriesInstanceUid={seriesInstanceUid}
        slices={slices}
        place={current}
        window={window}
        heatMap={isKey ? analysis?.revision : undefined}
        opacity={opacity}
        move={move}
        takeKeys={() => slider.current?.focus({ preventScroll: true })}
      />
      <SliceSlider slider={slider} place={current} slices={slices} move={move} />
      {analysis !== undefined && analysis.slices.length > 0 && (
        <>
          <p class="slice-answer">{answerAt(analysis, nearestRead(places, current))}</p>
          <ProbabilityPlot analysis={analysis} places={places} place={current} move={move} />
        </>
      )}
    </>
  );
}

/** What the model says of one slice: any hemorrhage, and the type that leads there. */
function answerAt({ slices }: Analysis, index: number): string {
  const probabilities = slices[index]?.probabilities ?? [];
  const named = CLASS_ORDER.map((name, i) => ({ name, probability: probabilities[i] ?? 0 }));
  const any = named.find(({ name }) => name === 'any');
  const [leading] = named
    .filter(({ name }) => name !== 'any')
    .toSorted((a, b) => b.probability - a.probability);
  if (any === undefined || leading === undefined) return '';
  return `In this slice: any hemorrhage ${percent(any.probability)}, ${classWord(leading.name).toLowerCase()} ${percent(leading.probability)}`;
}
