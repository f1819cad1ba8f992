import type { Operations } from '../../admin/api/schemas/operations.js';
import { count } from '../words.js';

type Hour = Operations['throughput'][number];

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const WIDTH = 960;
const HEIGHT = 120;

/** Images in each of the last 24 hours, as bars; studies and reports in words. */
export function Throughput({ hours }: { readonly hours: readonly Hour[] }) {
  const most = Math.max(1, ...hours.map(({ images }) => images));
  const sum = (key: 'images' | 'studies' | 'reports') =>
    hours.reduce((total, hour) => total + hour[key], 0);
  const step = WIDTH / Math.max(1, hours.length);
  const first = hours[0];
  return (
    <section>
      <h2>Last 24 hours</h2>
      <p>
        {count(sum('images'), 'image')}, {count(sum('studies'), 'study', 'studies')},{' '}
        {count(sum('reports'), 'report')}
      </p>
      <figure class="panel hours">
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          role="img"
          aria-label={`Images an hour, at most ${most}`}
          preserveAspectRatio="none"
        >
          {hours.map(({ hour, images, studies, reports }, i) => {
            const height = (images / most) * HEIGHT;
            return (
              <rect
                key={hour}
                x={i * step + 2}
                y={HEIGHT - height}
                width={step - 4}
                height={height}
              >
                <title>
                  {`${CLOCK.format(hour)}: ${count(images, 'image')}, ${count(studies, 'study', 'studies')}, ${count(reports, 'report')}`}
                </title>
              </rect>
            );
          })}
        </svg>
        <figcaption>
          <span>{first === undefined ? '' : CLOCK.format(first.hour)}</span>
          <span>Images an hour, at most {most.toLocaleString('en')}</span>
          <span>now</span>
        </figcaption>
      </figure>
    </section>
  );
}
