import { useRef } from 'preact/hooks';
import { classWord, percent } from '../../words.js';
import { type Analysis, CLASS_ORDER, leadingType } from '../finding.js';

const WIDTH = 640;
const HEIGHT = 190;
/** Room for the axes. */
const AREA = { left: 62, right: 12, top: 16, bottom: 30 };
const LEVELS = [0, 0.5, 1];

/**
 * The probability of any hemorrhage and of the leading type along the slices, from below to above. The line is where
 * the viewer is; a press or drag moves both.
 */
export function ProbabilityPlot({
  analysis,
  places,
  place,
  move,
}: {
  readonly analysis: Analysis;
  /** For each slice of the analysis its place in the series. */
  readonly places: readonly number[];
  readonly place: number;
  readonly move: (place: number) => void;
}) {
  const dragging = useRef(false);
  const known = places.filter((at) => at >= 0);
  const last = Math.max(1, ...known);
  const x = (at: number) => AREA.left + (at / last) * (WIDTH - AREA.left - AREA.right);
  const y = (probability: number) =>
    AREA.top + (1 - probability) * (HEIGHT - AREA.top - AREA.bottom);
  const leading = leadingType(analysis);
  const valueAt = (index: number, name: (typeof CLASS_ORDER)[number]) =>
    analysis.slices[index]?.probabilities[CLASS_ORDER.indexOf(name)] ?? 0;
  const curve = (name: (typeof CLASS_ORDER)[number]) =>
    places
      .flatMap((at, i) => (at < 0 ? [] : [`${x(at).toFixed(1)},${y(valueAt(i, name)).toFixed(1)}`]))
      .join(' ');
  const follow = (event: PointerEvent) => {
    const box = (event.currentTarget as SVGElement).getBoundingClientRect();
    const inside = ((event.clientX - box.left) / box.width) * WIDTH - AREA.left;
    move(Math.round((inside / (WIDTH - AREA.left - AREA.right)) * last));
  };
  return (
    <figure class="plot">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={summary(analysis, places)}
        onPointerDown={(event) => {
          dragging.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
          follow(event);
        }}
        onPointerMove={(event) => dragging.current && follow(event)}
        onPointerUp={() => {
          dragging.current = false;
        }}
        onPointerCancel={() => {
          dragging.current = false;
        }}
      >
        {LEVELS.map((level) => (
          <g key={level}>
            <line
              class="level"
              x1={AREA.left}
              x2={WIDTH - AREA.right}
              y1={y(level)}
              y2={y(level)}
            />
            <text x={AREA.left - 6} y={y(level) + 4} text-anchor="end">
              {level * 100} %
            </text>
          </g>
        ))}
        <text x={AREA.left} y={HEIGHT - 6}>
          Inferior
        </text>
        <text x={WIDTH - AREA.right} y={HEIGHT - 6} text-anchor="end">
          Superior
        </text>
        {leading !== undefined && <polyline class="curve second" points={curve(leading)} />}
        <polyline class="curve" points={curve('any')} />
        {analysis.keySlices.map(({ index, className }) => {
          const at = places[index] ?? -1;
          if (at < 0) return null;
          return (
            <circle
              key={`${index} ${className}`}
              class="key"
              cx={x(at)}
              cy={y(valueAt(index, 'any'))}
              r="5"
            />
          );
        })}
        <line
          class="here"
          x1={x(place)}
          x2={x(place)}
          y1={AREA.top - 8}
          y2={HEIGHT - AREA.bottom}
        />
      </svg>
      <figcaption>
        <span class="legend any">{classWord('any')}</span>
        {leading !== undefined && <span class="legend second">{classWord(leading)}</span>}
        {analysis.keySlices.length > 0 && <span class="legend key-mark">Key slice</span>}
      </figcaption>
    </figure>
  );
}

/** What the curve says, for those who do not see it. */
function summary({ slices }: Analysis, places: readonly number[]): string {
  const any = slices.map(({ probabilities }) => probabilities[CLASS_ORDER.indexOf('any')] ?? 0);
  const highest = Math.max(...any);
  const at = (places[any.indexOf(highest)] ?? 0) + 1;
  return `Probability of any hemorrhage along the slices, highest ${percent(highest)} at slice ${at}`;
}
