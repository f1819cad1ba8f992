import { useState } from 'preact/hooks';
import type { Applied, Routing } from '../../admin/api/schemas/routing.js';
import { ApiError } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { useToast } from '../shell/toasts.js';
import { LineDiffView } from './line-diff-view.js';

/** Asks for the reason, and shows once more what changes. */
export function ApplyDialog({
  base,
  draft,
  close,
  done,
}: {
  readonly base: Routing;
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
      const applied = await api.request<Applied>('PUT', '/routing', {
        body: { text: draft, reason: reason.trim() },
        headers: { 'if-match': `"${base.version}"` },
      });
      toast(appliedText(applied));
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
      disabled={reason.trim().length < 3}
      run={apply}
    >
      <LineDiffView before={base.text} after={draft} />
      <label>
        Why
        <input
          minLength={3}
          value={reason}
          onInput={({ currentTarget }) => setReason(currentTarget.value)}
          maxLength={500}
          required
        />
      </label>
    </ConfirmDialog>
  );
}

/** What became of a version that was written to the file. */
export function appliedText({ number, inForce, restartNeeded }: Applied): string {
  const state = inForce
    ? 'is in force: the next report is routed by it'
    : 'is in the file, but the node has not taken it';
  const later =
    restartNeeded.length === 0 ? '' : ` From the next start: ${restartNeeded.join(', ')}.`;
  return `Version ${number} ${state}.${later}`;
}
