import { useMemo } from 'preact/hooks';
import { lineDiff } from './line-diff.js';

const WORDS = { '+': 'added', '-': 'removed', ' ': '' } as const;

/** Removed and added lines, by sign as well as by colour. */
export function LineDiffView({
  before,
  after,
}: {
  readonly before: string;
  readonly after: string;
}) {
  const lines = useMemo(() => numbered(before, after), [before, after]);
  if (lines.length === 0) return <p class="quiet">The texts are the same.</p>;
  return (
    <div class="scrolls">
      <ol class="line-diff">
        {lines.map(({ key, sign, text }) => (
          <li key={key} class={WORDS[sign]}>
            <span aria-hidden="true">{sign}</span>
            {WORDS[sign] && <span class="hidden">{WORDS[sign]}: </span>}
            <code>{text}</code>
          </li>
        ))}
      </ol>
    </div>
  );
}

const numbered = (before: string, after: string) =>
  lineDiff(before, after).map((line, key) => ({ ...line, key }));
