import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { classWord, percent } from '../words.js';
import type { Analysis } from './finding.js';
import { pictureUrl } from './viewer/pictures.js';
import type { SliceReference } from './viewer/slices.js';

/** Where to look first: each is shown with its heat map in the viewer. */
export function KeySlices({
  study,
  analysis,
  show,
}: {
  readonly study: StudyDetail;
  readonly analysis: Analysis;
  readonly show: (slice: SliceReference) => void;
}) {
  const { keySlices, seriesInstanceUid, revision } = analysis;
  if (keySlices.length === 0 || seriesInstanceUid === null) return null;
  return (
    <section class="panel">
      <h2>Key slices</h2>
      <ul class="key-slices">
        {keySlices.map((slice) => (
          <li key={`${slice.sopInstanceUid} ${slice.className}`}>
            <button
              type="button"
              onClick={() =>
                show({
                  seriesInstanceUid,
                  sopInstanceUid: slice.sopInstanceUid,
                  frame: slice.frame ?? 1,
                })
              }
            >
              <img
                alt=""
                loading="lazy"
                src={pictureUrl(study.studyInstanceUid, seriesInstanceUid, {
                  sopInstanceUid: slice.sopInstanceUid,
                  frame: slice.frame ?? 1,
                  window: 'brain',
                  heatMap: revision,
                })}
              />
              <span class="words">
                <b>{classWord(slice.className)}</b>
                <span class="quiet">
                  {percent(slice.probability)} in this slice, {slice.index + 1} of{' '}
                  {analysis.slices.length} from below
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
