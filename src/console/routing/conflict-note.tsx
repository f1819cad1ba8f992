import { LineDiffView } from './line-diff-view.js';

/** Somebody else has changed the file since this draft was begun: nothing is overwritten unseen. */
export function ConflictNote({
  theirs,
  mine,
  takeTheirs,
  keepMine,
}: {
  readonly theirs: { readonly text: string };
  readonly mine: string;
  readonly takeTheirs: () => void;
  readonly keepMine: () => void;
}) {
  return (
    <div class="note warning" role="alert">
      <p>
        <b>Somebody else has changed the file since you began.</b> Your text is kept, and cannot be
        applied before you have decided. This is what the file would lose and gain by yours:
      </p>
      <LineDiffView before={theirs.text} after={mine} />
      <div class="row">
        <button type="button" onClick={takeTheirs}>
          Drop mine, take what is in the file
        </button>
        <button type="button" onClick={keepMine}>
          Keep my text and go on from there
        </button>
      </div>
    </div>
  );
}
