import { useState } from 'preact/hooks';
import type { ConfigVersion, History, Routing } from '../../admin/api/schemas/routing.js';
import { useConnection, useMay } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { dateAndTime } from '../times.js';
import { RollbackDialog } from './rollback-dialog.js';

/** The most that the API gives at once: years of changes. */
const MOST = 200;

const HOWS: Readonly<Record<ConfigVersion['how'], string>> = {
  start: 'found at a start',
  file: 'edited in the file',
  command: 'by the command line',
  api: 'by the console',
};

/** Who changed the file, when and why; any version can be put back in force. */
export function HistoryPanel({
  current,
  done,
}: {
  readonly current: Routing;
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const mayChange = useMay('admin');
  const found = useResource(`history ${current.version} ${current.number}`, (signal) =>
    api.get<History>(`/routing/history?limit=${MOST}`, signal),
  );
  const [wanted, setWanted] = useState<ConfigVersion>();
  return (
    <>
      <Loaded resource={found}>
        {({ versions }) => (
          <ol class="history">
            {versions.map((version) => (
              <li key={version.number}>
                <div>
                  <b>Version {version.number}</b>{' '}
                  <span class="quiet">
                    {dateAndTime(version.appliedAt)} · {version.who}, {HOWS[version.how]}
                  </span>
                </div>
                <div>{version.reason}</div>
                <div class="row">
                  {version.rollbackTo !== null && (
                    <span class="quiet">the text of version {version.rollbackTo} again</span>
                  )}
                  {version.inForceAt === null && <span class="warned">was never in force</span>}
                  {version.number === current.number && <span class="done">✓ in the file now</span>}
                  {mayChange && version.version !== current.version && (
                    <button type="button" onClick={() => setWanted(version)}>
                      Roll back…<span class="hidden"> to version {version.number}</span>
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
      {wanted !== undefined && (
        <RollbackDialog
          version={wanted}
          current={current}
          close={() => setWanted(undefined)}
          done={done}
        />
      )}
    </>
  );
}
