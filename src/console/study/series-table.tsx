import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { count } from '../words.js';

type Series = StudyDetail['series'][number];

const VERDICTS = {
  analysed: 'Analysed',
  eligible: 'Suitable, not chosen',
  'not-eligible': 'Not suitable',
} as const;

const CONFIDENCES = {
  proven: 'Whole, proven',
  likely: 'Whole, likely',
  unknown: 'Taken for whole, not sure',
} as const;

/** What became of each series, and why. */
export function SeriesTable({ study }: { readonly study: StudyDetail }) {
  return (
    <section>
      <h2>Series</h2>
      <div class="scrolls">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col">Images</th>
              <th scope="col">Kernel, thickness</th>
              <th scope="col">Whole?</th>
              <th scope="col">Suitable?</th>
            </tr>
          </thead>
          <tbody>
            {study.series.map((series) => (
              <SeriesRow key={series.seriesInstanceUid} series={series} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function SeriesRow({ series }: { readonly series: Series }) {
  const { eligibility, completion } = series;
  return (
    <tr>
      <td>
        <div>
          <b>
            {series.number ?? 'No number'} · {series.description || 'No description'}
          </b>
          <div class="quiet">
            {series.modality}
            {series.own && ", Vigil's own, sent back by a PACS"}
          </div>
        </div>
      </td>
      <td data-name="Images">{count(series.slices, 'image')}</td>
      <td data-name="Kernel, thickness">
        {[series.kernel, series.thicknessMm !== null && `${series.thicknessMm} mm`]
          .filter(Boolean)
          .join(', ')}
      </td>
      <td data-name="Whole?">
        <div>
          {completion.complete
            ? CONFIDENCES[completion.confidence ?? 'unknown']
            : 'Still being received'}
          {completion.reason && <div class="quiet">{completion.reason.text}</div>}
        </div>
      </td>
      <td data-name="Suitable?">
        <div>
          {eligibility.verdict === null ? 'Not judged yet' : VERDICTS[eligibility.verdict]}
          {eligibility.reasons.map(({ code, text }) => (
            <div key={code} class="quiet">
              {text}
            </div>
          ))}
        </div>
      </td>
    </tr>
  );
}
