import { useState } from 'preact/hooks';
import type { Routing } from '../../admin/api/schemas/routing.js';
import { useMay } from '../api/context.js';
import { ApplyDialog } from './apply-dialog.js';
import { ChangePanel } from './change-panel.js';
import { ConflictNote } from './conflict-note.js';
import { HistoryPanel } from './history-panel.js';
import { ProblemPanel } from './problem-panel.js';
import { ReplayPanel } from './replay-panel.js';
import { useChecked } from './use-checked.js';
import { type WantedLine, YamlEditor } from './yaml-editor.js';

const PANELS = { problems: 'Problems', changes: 'Changes', replay: 'Replay', history: 'History' };
type Panel = keyof typeof PANELS;
const PANELS_OF_ADMINS: readonly Panel[] = ['problems', 'changes', 'replay', 'history'];
const PANELS_OF_ALL: readonly Panel[] = ['problems', 'history'];

/** One person's draft, made from one version of the file. */
export function Workbench({
  current,
  reload,
}: {
  /** What the file says now. */
  readonly current: Routing;
  readonly reload: () => void;
}) {
  const mayChange = useMay('admin');
  const [base, setBase] = useState(current);
  const [loaded, setLoaded] = useState({ text: current.text });
  const [draft, setDraft] = useState(current.text);
  const [panel, setPanel] = useState<Panel>('problems');
  const [wanted, setWanted] = useState<WantedLine>();
  const [applying, setApplying] = useState(false);
  const isChanged = draft !== base.text;
  const isOvertaken = current.version !== base.version;
  // Nobody is in the middle of anything: what somebody else applied is simply shown.
  if (isOvertaken && !isChanged) {
    takeCurrent();
  }
  const checked = useChecked(draft, base);
  const isSound = checked !== undefined && checked.problems.length === 0;

  function takeCurrent() {
    setBase(current);
    setLoaded({ text: current.text });
    setDraft(current.text);
  }

  return (
    <>
      <div class="routing-head row">
        <p>
          {base.number === null ? 'A version' : `Version ${base.number}`}{' '}
          <code class="quiet">{base.version.slice(0, 12)}</code>{' '}
          {isChanged ? (
            <b class="warned">with changes that are not applied</b>
          ) : (
            <InForce inForce={base.inForce} />
          )}
        </p>
        {mayChange && (
          <div class="row">
            <button type="button" disabled={!isChanged} onClick={takeCurrent}>
              Drop my changes
            </button>
            <button
              type="button"
              class="main"
              disabled={!isChanged || !isSound || isOvertaken}
              onClick={() => setApplying(true)}
            >
              Apply…
            </button>
          </div>
        )}
      </div>
      {isOvertaken && isChanged && (
        <ConflictNote
          theirs={current}
          mine={draft}
          takeTheirs={takeCurrent}
          keepMine={() => setBase(current)}
        />
      )}
      <div class="workbench">
        <YamlEditor
          loaded={loaded}
          change={setDraft}
          checked={checked}
          wanted={wanted}
          readOnly={!mayChange}
        />
        <div class="panel panels">
          <fieldset class="segments">
            <legend class="hidden">Beside the editor</legend>
            {(mayChange ? PANELS_OF_ADMINS : PANELS_OF_ALL).map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={name === panel}
                onClick={() => setPanel(name)}
              >
                {PANELS[name]}
                {name === 'problems' && checked !== undefined && (
                  <ProblemCount count={checked.problems.length + checked.warnings.length} />
                )}
              </button>
            ))}
          </fieldset>
          {panel === 'problems' && (
            <ProblemPanel checked={checked} goTo={(line) => setWanted({ line })} />
          )}
          {panel === 'changes' && (
            <ChangePanel before={base.text} draft={draft} isSound={isSound} />
          )}
          {panel === 'replay' && <ReplayPanel draft={draft} isSound={isSound} />}
          {panel === 'history' && <HistoryPanel current={current} done={reload} />}
        </div>
      </div>
      {applying && (
        <ApplyDialog base={base} draft={draft} close={() => setApplying(false)} done={reload} />
      )}
    </>
  );
}

function InForce({ inForce }: { readonly inForce: boolean }) {
  return inForce ? (
    <span class="done">✓ in force</span>
  ) : (
    <b class="warned">is in the file, but the node works by an earlier one</b>
  );
}

function ProblemCount({ count }: { readonly count: number }) {
  return count === 0 ? null : <b class="badge">{count}</b>;
}
