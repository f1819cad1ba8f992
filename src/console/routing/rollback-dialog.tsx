import { useState } from 'preact/hooks';
import type {
  Applied,
  ConfigVersion,
  ConfigVersionText,
  Routing,
} from '../../admin/api/schemas/routing.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { Loaded } from '../parts/loaded.js';
import { useToast } from '../shell/toasts.js';
import { appliedText } from './apply-dialog.js';
import { LineDiffView } from './line-diff-view.js';

/** Shows what the file would lose and gain, and asks why. */
export function RollbackDialog({
  version,
  current,
  close,
  done,
}: {
  readonly version: ConfigVersion;
  readonly current: Routing;
  readonly close: () => void;
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const toast = useToast();
  const [reason, setReason] = useState('');
  const found = useResource(`version ${version.number}`, (signal) =>
    api.get<ConfigVersionText>(`/routing/history/${version.number}`, signal),
  );
  return (
    <ConfirmDialog
      title={`Roll back to version ${version.number}?`}
      action="Roll back"
      close={close}
      disabled={reason.trim().length < 3}
      run={async () => {
        const wanted = { version: version.number, reason: reason.trim() };
        toast(appliedText(await api.post<Applied>('/routing/rollback', wanted)));
        done();
      }}
    >
      <p>The version of now stays in the history. The file changes like this:</p>
      <Loaded resource={found}>
        {({ text }) => <LineDiffView before={current.text} after={text} />}
      </Loaded>
      <label>
        Why
        <input
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
          minLength={3}
          maxLength={500}
          required
        />
      </label>
    </ConfirmDialog>
  );
}
