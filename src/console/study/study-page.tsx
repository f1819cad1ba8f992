import { useState } from 'preact/hooks';
import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { ClassTable } from './class-table.js';
import { DeliveryTable } from './delivery-table.js';
import { type Analysis, finishedAnalysis } from './finding.js';
import { KeySlices } from './key-slices.js';
import { ObjectList } from './object-list.js';
import { ReportTree } from './report-tree.js';
import { SecondReadings } from './second-readings.js';
import { SeriesTable } from './series-table.js';
import { StudyActions } from './study-actions.js';
import { StudyBanner } from './study-banner.js';
import { Timeline } from './timeline.js';
import type { SliceReference } from './viewer/slices.js';
import { Viewer } from './viewer/viewer.js';
import './study.css';

/** One study: what was found first, then the images, then how it came to that. */
export function StudyPage({
  studyInstanceUid,
  query,
}: {
  readonly studyInstanceUid: string;
  readonly query: URLSearchParams;
}) {
  const { api } = useConnection();
  const found = useResource(
    studyInstanceUid,
    (signal) => api.get<StudyDetail>(`/studies/${studyInstanceUid}`, signal),
    (event) =>
      (event.kind === 'study' || event.kind === 'delivery') &&
      (event.studyInstanceUid ?? studyInstanceUid) === studyInstanceUid,
  );
  return (
    <>
      <p class="back">
        <a href="#/">← Worklist</a>
      </p>
      <Loaded resource={found}>
        {(study) => <Study study={study} query={query} reload={found.reload} />}
      </Loaded>
    </>
  );
}

function Study({
  study,
  query,
  reload,
}: {
  readonly study: StudyDetail;
  readonly query: URLSearchParams;
  readonly reload: () => void;
}) {
  const analysis = finishedAnalysis(study);
  const [shown, setShown] = useState<SliceReference>();
  return (
    <>
      <StudyBanner study={study} analysis={analysis} />
      <StudyActions study={study} done={reload} />
      <div class="finding">
        <Viewer study={study} analysis={analysis} query={query} wanted={shown} />
        <aside class="aside">
          {analysis !== undefined && <Evidence study={study} analysis={analysis} show={setShown} />}
        </aside>
      </div>
      <Timeline study={study} />
      <SeriesTable study={study} />
      <DeliveryTable study={study} />
      <ReportTree study={study} />
      <ObjectList study={study} />
    </>
  );
}

function Evidence({
  study,
  analysis,
  show,
}: {
  readonly study: StudyDetail;
  readonly analysis: Analysis;
  readonly show: (slice: SliceReference) => void;
}) {
  return (
    <>
      <ClassTable analysis={analysis} />
      <KeySlices study={study} analysis={analysis} show={show} />
      <SecondReadings analysis={analysis} />
    </>
  );
}
