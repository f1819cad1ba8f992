import { useState } from 'preact/hooks';
import type { Destinations } from '../../admin/api/schemas/destinations.js';
import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { Loaded } from '../parts/loaded.js';
import { count } from '../words.js';

export function ResendDialog({
  study,
  close,
  done,
}: {
  readonly study: StudyDetail;
  readonly close: () => void;
  readonly done: (text: string) => void;
}) {
  const { api } = useConnection();
  const found = useResource('destinations', (signal) =>
    api.get<Destinations>('/destinations', signal),
  );
  const [chosen, setChosen] = useState<readonly string[]>([]);
  return (
    <ConfirmDialog
      title="Send this study's results again?"
      action="Send again"
      close={close}
      disabled={chosen.length === 0}
      run={async () => {
        const { deliveries } = await api.post<{ deliveries: number }>(
          `/studies/${study.studyInstanceUid}/resend`,
          { destinations: chosen },
        );
        done(
          deliveries === 0
            ? 'Nothing is to be sent: no route ever sent this study there.'
            : `${count(deliveries, 'object is', 'objects are')} sent again.`,
        );
      }}
    >
      <p>The same objects go out once more; a PACS that has them takes them for duplicates.</p>
      <Loaded resource={found}>
        {({ destinations }) => (
          <fieldset class="choices">
            <legend>Destinations</legend>
            {destinations.map(({ name, aeTitle, host }) => (
              <label key={name} class="inline">
                <input
                  type="checkbox"
                  checked={chosen.includes(name)}
                  onChange={({ currentTarget }) =>
                    setChosen(
                      currentTarget.checked
                        ? [...chosen, name]
                        : chosen.filter((one) => one !== name),
                    )
                  }
                />
                {name}{' '}
                <span class="quiet">
                  ({aeTitle} at {host})
                </span>
              </label>
            ))}
          </fieldset>
        )}
      </Loaded>
    </ConfirmDialog>
  );
}
