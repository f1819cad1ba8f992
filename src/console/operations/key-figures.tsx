import type { Operations } from '../../admin/api/schemas/operations.js';
import { span } from '../times.js';
import { bytes, count } from '../words.js';

/** The words of the queues, in the order of a study's way; those of the alarm class wait for a person. */
const QUEUES: readonly { readonly key: string; readonly word: string; readonly alarm?: true }[] = [
  { key: 'seriesReceiving', word: 'series being received' },
  { key: 'studiesToChoose', word: 'studies to choose a series of' },
  { key: 'analysesDue', word: 'analyses due' },
  { key: 'reportsDue', word: 'reports due' },
  { key: 'deliveriesDue', word: 'deliveries due' },
  { key: 'deliveriesUnproven', word: 'deliveries to be proven' },
  { key: 'commitmentsDue', word: 'storage commitments due' },
  { key: 'analysesStuck', word: 'analyses stuck', alarm: true },
  { key: 'deliveriesDead', word: 'deliveries given up', alarm: true },
  { key: 'commitmentsDead', word: 'storage commitments given up', alarm: true },
  { key: 'conflicts', word: 'conflicts to settle', alarm: true },
  { key: 'damagedFiles', word: 'damaged files', alarm: true },
  { key: 'orphanFiles', word: 'files without a row', alarm: true },
];

export function KeyFigures({ operations }: { readonly operations: Operations }) {
  const { queues, timeToReport, disk } = operations;
  const { studies, p50Ms, p99Ms } = timeToReport;
  const used = disk.totalBytes - disk.freeBytes;
  const isFull = disk.freeBytes < disk.minFreeBytes;
  return (
    <div class="figures">
      <section class="panel">
        <h2>Time to report</h2>
        {p50Ms === null || p99Ms === null ? (
          <p class="quiet">No report in the last 24 hours.</p>
        ) : (
          <dl>
            <Figure name="Half within" value={span(p50Ms)} />
            <Figure name="99 % within" value={span(p99Ms)} />
          </dl>
        )}
        <p class="quiet">{count(studies, 'study', 'studies')} in the last 24 hours</p>
      </section>
      <section class="panel">
        <h2>Disk</h2>
        <dl>
          <Figure name="Free" value={bytes(disk.freeBytes)} />
        </dl>
        <meter
          aria-label="Disk used"
          min={0}
          max={disk.totalBytes}
          high={disk.totalBytes - disk.minFreeBytes}
          value={used}
        />
        <p class={isFull ? 'alarm' : 'quiet'}>
          {isFull ? 'Slices are refused: ' : 'Slices are refused '}
          with less than {bytes(disk.minFreeBytes)} free
        </p>
      </section>
      <section class="panel queues">
        <h2>Queues</h2>
        <ul>
          {QUEUES.filter(({ key, alarm }) => key in queues && (!alarm || queues[key])).map(
            ({ key, word, alarm }) => (
              <li key={key} class={alarm ? 'alarm' : ''}>
                <b class="number">{queues[key]}</b> {word}
              </li>
            ),
          )}
        </ul>
      </section>
    </div>
  );
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
