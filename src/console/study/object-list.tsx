import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { API } from '../api/client.js';
import { when } from '../times.js';
import { bytes, objectWord } from '../words.js';

type ResultObject = StudyDetail['objects'][number];

/** Everything that was made for the study, to look at and to take away as DICOM files. */
export function ObjectList({ study }: { readonly study: StudyDetail }) {
  const objects = study.objects.toReversed();
  if (objects.length === 0) return null;
  return (
    <section>
      <h2>Objects</h2>
      <ul class="objects">
        {objects.map((object) => (
          <li key={object.sopInstanceUid} class="panel">
            {hasPicture(object) && (
              <a
                href={`${API}/objects/${object.sopInstanceUid}/picture.png`}
                target="_blank"
                rel="noopener"
              >
                <img
                  src={`${API}/objects/${object.sopInstanceUid}/picture.png`}
                  alt={`${objectWord(object.kind)}, opens whole`}
                  loading="lazy"
                />
              </a>
            )}
            <div>
              <b>{nameOf(object)}</b>
              <div class="quiet">
                Report {object.revision}, {when(object.createdAt)}, {bytes(object.bytes)}
              </div>
              <a href={`${API}/objects/${object.sopInstanceUid}/file`} download>
                Download DICOM<span class="hidden"> {nameOf(object)}</span>
              </a>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

const hasPicture = ({ kind }: ResultObject) => kind === 'heatmap' || kind === 'summary';

function nameOf({ kind, fallbackFor }: ResultObject): string {
  return objectWord(kind === 'sr' && fallbackFor !== null ? 'comprehensive-sr' : kind);
}
