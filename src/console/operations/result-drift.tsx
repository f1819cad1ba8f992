import type { Operations } from '../../admin/api/schemas/operations.js';
import { count, shareText } from '../words.js';

type Results = Operations['results'];
type Day = Results['days'][number];

const WIDTH = 960;
const HEIGHT = 170;
const AREA = { left: 46, right: 10, top: 10, bottom: 24 };
const LEVELS = [0, 0.5, 1];

/** Whether the model still sees what it used to see: a drifting rate is a scanner, a protocol or a model gone wrong. */
export function ResultDrift({ results }: { readonly results: Results }) {
  const { recent, limits } = results;
  return (
    <section>
      <h2>Results</h2>
      <p class={recent.drifting ? 'note warning' : ''}>
        {recent.positiveRate === null
          ? 'No study was read in the last 7 days.'
          : `${shareText(recent.positiveRate)} of ${count(recent.studies, 'study', 'studies')} positive in the last 7 days`}
        {limits !== null && `, expected ${shareText(limits.low)} to ${shareText(limits.high)}`}
        {recent.drifting && ': outside its limits. Look at scanners, protocols and the model.'}
      </p>
      <DayPlot days={results.days} limits={limits} />
      <div class="mixes">
        <Mix title="Kernels of the series read" counts={results.kernels} unit="" />
        <Mix title="Slice thickness" counts={results.thicknessesMm} unit=" mm" />
      </div>
    </section>
  );
}

function DayPlot({
  days,
  limits,
}: {
  readonly days: readonly Day[];
  readonly limits: Results['limits'];
}) {
  const read = days.filter(({ studies }) => studies > 0);
  if (read.length === 0) return null;
  const step = (WIDTH - AREA.left - AREA.right) / Math.max(1, days.length);
  const x = (i: number) => AREA.left + (i + 0.5) * step;
  const y = (share: number) => AREA.top + (1 - share) * (HEIGHT - AREA.top - AREA.bottom);
  return (
    <figure class="panel drift">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Positive rate and scores of ${count(read.length, 'day')}`}
      >
        {limits !== null && (
          <rect
            class="limits"
            x={AREA.left}
            width={WIDTH - AREA.left - AREA.right}
            y={y(limits.high)}
            height={y(limits.low) - y(limits.high)}
          />
        )}
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
        {days.map(({ day, positiveRate, scores, studies, notRead }, i) => (
          <g key={day}>
            <title>{`${day}: ${count(studies, 'study', 'studies')} read, ${notRead} not${positiveRate === null ? '' : `, ${shareText(positiveRate)} positive`}`}</title>
            {scores !== null && (
              <>
                <line class="spread" x1={x(i)} x2={x(i)} y1={y(scores.p90)} y2={y(scores.p10)} />
                <line
                  class="median"
                  x1={x(i) - 6}
                  x2={x(i) + 6}
                  y1={y(scores.p50)}
                  y2={y(scores.p50)}
                />
              </>
            )}
            {positiveRate !== null && <circle class="rate" cx={x(i)} cy={y(positiveRate)} r="5" />}
          </g>
        ))}
        <text x={AREA.left} y={HEIGHT - 6}>
          {days[0]?.day}
        </text>
        <text x={WIDTH - AREA.right} y={HEIGHT - 6} text-anchor="end">
          {days.at(-1)?.day}
        </text>
      </svg>
      <figcaption>
        <span class="legend rate-mark">Share positive</span>
        <span class="legend spread-mark">
          Probability of any hemorrhage: median, 10th to 90th percentile
        </span>
      </figcaption>
    </figure>
  );
}

function Mix({
  title,
  counts,
  unit,
}: {
  readonly title: string;
  readonly counts: Results['kernels'];
  readonly unit: string;
}) {
  if (counts.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul>
        {counts.map(({ value, series }) => (
          <li key={value}>
            {value === '' ? 'not stated' : `${value}${unit}`}: {count(series, 'series', 'series')}
          </li>
        ))}
      </ul>
    </section>
  );
}
