import { useState } from 'preact/hooks';
import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { useConnection, useMay } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { useToast } from '../shell/toasts.js';
import { ResendDialog } from './resend-dialog.js';

/** What an operator can do about a study; a viewer sees none of it but the conflicts. */
export function StudyActions({
  study,
  done,
}: {
  readonly study: StudyDetail;
  readonly done: () => void;
}) {
  const { api } = useConnection();
  const mayOperate = useMay('operator');
  const toast = useToast();
  const [open, setOpen] = useState<'resend' | 'reanalyse' | 'settle'>();
  const { studyInstanceUid, conflicts, damagedFiles } = study;
  const close = () => setOpen(undefined);
  const finish = (text: string) => {
    toast(text);
    done();
  };
  return (
    <>
      {conflicts > 0 && (
        <div class="note warning">
          <p>
            <b>Conflicting images.</b> What is reported here may not be this patient's.
          </p>
          <ul>
            {conflictTexts(study).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
          {mayOperate && (
            <button type="button" onClick={() => setOpen('settle')}>
              Settle…
            </button>
          )}
        </div>
      )}
      {damagedFiles > 0 && (
        <p class="note error">
          {damagedFiles} stored files of this study are damaged: send it again from the scanner.
        </p>
      )}
      {mayOperate && (
        <div class="row actions">
          <button
            type="button"
            disabled={study.objects.length === 0}
            onClick={() => setOpen('resend')}
          >
            Send again…
          </button>
          <button type="button" onClick={() => setOpen('reanalyse')}>
            Analyse again…
          </button>
        </div>
      )}
      {open === 'resend' && <ResendDialog study={study} close={close} done={finish} />}
      {open === 'reanalyse' && (
        <ConfirmDialog
          title="Analyse this study again?"
          action="Analyse again"
          close={close}
          run={async () => {
            await api.post(`/studies/${studyInstanceUid}/reanalyse`);
            finish('The study is analysed again.');
          }}
        >
          <p>
            The choice of the series and the analysis are made anew, with the model and the routes
            in force now. Where the answer is another one, a new report supersedes the one before.
          </p>
        </ConfirmDialog>
      )}
      {open === 'settle' && (
        <ConfirmDialog
          title="Settle the conflicts of this study?"
          action="Settle"
          close={close}
          run={async () => {
            await api.post(`/studies/${studyInstanceUid}/settle`);
            finish('The conflicts are settled.');
          }}
        >
          <p>
            Do this when a person has looked at the images and knows whose they are. They are no
            alarm any more then; what was reported stands.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function conflictTexts({ openConflicts }: StudyDetail): string[] {
  return [
    ...new Set(openConflicts.filter((one) => one.settledAt === null).map(({ text }) => text)),
  ];
}
