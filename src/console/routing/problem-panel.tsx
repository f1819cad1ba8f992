import type { ConfigProblem, Validation } from '../../admin/api/schemas/routing.js';
import { count } from '../words.js';

/** All that is wrong, and all that can be meant so but hardly is; each leads to its line. */
export function ProblemPanel({
  checked,
  goTo,
}: {
  readonly checked: Validation | undefined;
  readonly goTo: (line: number) => void;
}) {
  if (checked === undefined) return <p role="status">Checking…</p>;
  const { problems, warnings } = checked;
  if (problems.length + warnings.length === 0) {
    return (
      <p class="done" role="status">
        ✓ Nothing is wrong
      </p>
    );
  }
  return (
    <>
      <p class="hidden" role="status">
        {count(problems.length, 'error')}, {count(warnings.length, 'warning')}
      </p>
      <ul class="problems">
        {problems.map((problem) => (
          <ProblemLine key={keyOf(problem)} problem={problem} word="Error" goTo={goTo} />
        ))}
        {warnings.map((problem) => (
          <ProblemLine key={keyOf(problem)} problem={problem} word="Warning" goTo={goTo} />
        ))}
      </ul>
    </>
  );
}

const keyOf = ({ path, message, line }: ConfigProblem) => `${line} ${path} ${message}`;

function ProblemLine({
  problem,
  word,
  goTo,
}: {
  readonly problem: ConfigProblem;
  readonly word: 'Error' | 'Warning';
  readonly goTo: (line: number) => void;
}) {
  const { path, message, hint, line } = problem;
  return (
    <li>
      <b class={word === 'Error' ? 'alarm' : 'warned'}>
        {word === 'Error' ? '✕' : '⚠'} {word}
      </b>
      {line !== undefined && (
        <button type="button" class="plain link" onClick={() => goTo(line)}>
          line {line}
        </button>
      )}
      <div>
        {path !== '' && <code>{path}</code>} {message}
      </div>
      {hint !== undefined && <div class="quiet">{hint}</div>}
    </li>
  );
}
