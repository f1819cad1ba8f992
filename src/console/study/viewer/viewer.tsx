import { useState } from 'preact/hooks';
import type { Slices, StudyDetail } from '../../../admin/api/schemas/studies.js';
import { useConnection } from '../../api/context.js';
import { useResource } from '../../api/resource.js';
import { Loaded } from '../../parts/loaded.js';
import type { Analysis } from '../finding.js';
import { SeriesViewer } from './series-viewer.js';
import type { SliceReference } from './slices.js';
import './viewer.css';

/** The images of one series of the study: of the one that was read, until a person takes another. */
export function Viewer({
  study,
  analysis,
  query,
  wanted,
}: {
  readonly study: StudyDetail;
  readonly analysis: Analysis | undefined;
  readonly query: URLSearchParams;
  /** A key slice that somebody has pointed at. */
  readonly wanted: SliceReference | undefined;
}) {
  const { api } = useConnection();
  const choices = study.series.filter(({ own, slices }) => !own && slices > 0);
  const [chosen, setChosen] = useState(query.get('series') ?? '');
  const [followed, setFollowed] = useState(wanted);
  if (wanted !== followed) {
    setFollowed(wanted);
    if (wanted !== undefined) setChosen(wanted.seriesInstanceUid);
  }
  const uid =
    choices.find(({ seriesInstanceUid }) => seriesInstanceUid === chosen)?.seriesInstanceUid ??
    analysis?.seriesInstanceUid ??
    choices.toSorted((a, b) => b.slices - a.slices)[0]?.seriesInstanceUid ??
    '';
  const path = `/studies/${study.studyInstanceUid}/series/${uid}/slices`;
  const images = choices.find(({ seriesInstanceUid }) => seriesInstanceUid === uid)?.slices ?? 0;
  const found = useResource(`${path} ${images}`, (signal) =>
    uid === '' ? Promise.resolve({ slices: [] }) : api.get<Slices>(path, signal),
  );
  return (
    <section class="panel viewer" aria-label="Images">
      {choices.length > 1 && (
        <label class="series-choice">
          Series
          <select value={uid} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
            {choices.map((series) => (
              <option key={series.seriesInstanceUid} value={series.seriesInstanceUid}>
                {[
                  series.number ?? 'no number',
                  series.description,
                  `${series.slices} images`,
                  series.seriesInstanceUid === analysis?.seriesInstanceUid && 'analysed',
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </option>
            ))}
          </select>
        </label>
      )}
      <Loaded resource={found}>
        {({ slices }) =>
          slices.length === 0 ? (
            <p>No image of this study can be shown.</p>
          ) : (
            <SeriesViewer
              key={uid}
              studyInstanceUid={study.studyInstanceUid}
              seriesInstanceUid={uid}
              slices={slices}
              analysis={analysis?.seriesInstanceUid === uid ? analysis : undefined}
              asked={Number(query.get('slice') ?? 0)}
              wanted={wanted?.seriesInstanceUid === uid ? wanted : undefined}
            />
          )
        }
      </Loaded>
    </section>
  );
}
