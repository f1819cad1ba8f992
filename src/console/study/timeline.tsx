import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { dateAndTime, when } from '../times.js';
import { eventText } from './event-words.js';

/** What happened, and why, oldest first. */
export function Timeline({ study }: { readonly study: StudyDetail }) {
  const numbers = new Map(study.series.map((one) => [one.seriesInstanceUid, one.number]));
  return (
    <section>
      <h2>What happened</h2>
      <ol class="timeline">
        {study.timeline.map((entry) => {
          const number = entry.seriesInstanceUid && numbers.get(entry.seriesInstanceUid);
          const { text, grave } = eventText(entry);
          return (
            <li key={`${entry.at} ${entry.kind} ${JSON.stringify(entry.detail)}`} class={grave}>
              <time dateTime={new Date(entry.at).toISOString()} title={dateAndTime(entry.at)}>
                {when(entry.at)}
              </time>
              <span>
                {typeof number === 'number' && <b>Series {number}: </b>}
                {text}
              </span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
