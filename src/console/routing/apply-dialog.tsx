import { useState } from 'preact/hooks';
import { ApiError } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { useToast } from '../shell/toasts.js';
import type { CurrentRouting } from './answers.js';
import { LineDiffView } from './line-diff-view.js';

/** Asks for the reason, and shows once more what changes. */
export function ApplyDialog({
  base,
  draft,
  close,
  done,
}: {
  readonly base: CurrentRouting;
  readonly draft: string;
  readonly close: () => void;
  /** The file may say something else now. */
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const toast = useToast();
  const [reason, setReason] = useState('');
  const apply = async () => {
    try {
      await api.request('PUT', '/routing', {
        body: { text: draft, reason: reason.trim() },
        headers: { 'if-match': `"${base.version}"` },
      });
      toast('Applied: the next report is routed by it.');
      done();
    } catch (error) {
      // Somebody was faster: the page shows what they applied, and the draft is kept.
      if (error instanceof ApiError && error.status === 412) done();
      throw error;
    }
  };
  return (
    <ConfirmDialog
      title="Apply the changed configuration?"
      action="Apply"
      close={close}
      disabled={reason.trim() === ''}
      run={apply}
    >
      <LineDiffView before={base.text} after={draft} />
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
