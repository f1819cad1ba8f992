import { useState } from 'preact/hooks';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { Loaded } from '../parts/loaded.js';
import { useToast } from '../shell/toasts.js';
import { dateAndTime } from '../times.js';
import type { CurrentRouting, Version } from './answers.js';

/** Who changed the file, when and why; any version can be put back in force. */
export function HistoryPanel({
  current,
  done,
}: {
  readonly current: CurrentRouting;
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const found = useResource(`history ${current.version}`, (signal) =>
    api.get<{ versions: Version[] }>('/routing/history', signal),
  );
  const [wanted, setWanted] = useState<Version>();
  return (
    <>
      <Loaded resource={found}>
        {({ versions }) => (
          <ol class="history">
            {versions.map((version) => (
              <li key={version.version}>
                <div>
                  <b>{version.who}</b> <span class="quiet">{dateAndTime(version.appliedAt)}</span>
                </div>
                <div>{version.reason}</div>
                <div class="row">
                  <code>{version.version.slice(0, 12)}</code>
                  {version.version === current.version ? (
                    <span class="done">✓ in the file now</span>
                  ) : (
                    <button type="button" onClick={() => setWanted(version)}>
                      Roll back to this…
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
      {wanted !== undefined && (
        <RollbackDialog version={wanted} close={() => setWanted(undefined)} done={done} />
      )}
    </>
  );
}

function RollbackDialog({
  version,
  close,
  done,
}: {
  readonly version: Version;
  readonly close: () => void;
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const toast = useToast();
  const [reason, setReason] = useState('');
  return (
    <ConfirmDialog
      title={`Roll back to version ${version.version.slice(0, 12)}?`}
      action="Roll back"
      close={close}
      disabled={reason.trim() === ''}
      run={async () => {
        await api.post('/routing/rollback', { version: version.version, reason: reason.trim() });
        toast('The earlier version is in the file again.');
        done();
      }}
    >
      <p>
        The file becomes what {version.who} applied at {dateAndTime(version.appliedAt)}: the next
        report is routed by it. The version of now stays in the history.
      </p>
      <label>
        Why
        <input
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
          maxLength={500}
          required
        />
      </label>
    </ConfirmDialog>
  );
}
