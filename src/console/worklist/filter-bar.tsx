import { useEffect, useState } from 'preact/hooks';
import {
  type Filters,
  OUTCOME_GROUPS,
  PERIODS,
  type Period,
  STAGES,
  type Stage,
} from './filters.js';

/** Until a person pauses in typing. */
const TYPING_MS = 300;

export function FilterBar({
  filters,
  change,
  text,
  search,
}: {
  readonly filters: Filters;
  readonly change: (filters: Filters) => void;
  readonly text: string;
  readonly search: (text: string) => void;
}) {
  return (
    <search class="filters row">
      <SearchField text={text} search={search} />
      <fieldset class="chips">
        <legend>Outcome</legend>
        {OUTCOME_GROUPS.map(({ word, outcomes }) => {
          const chosen = outcomes.every((outcome) => filters.outcomes.includes(outcome));
          const rest = filters.outcomes.filter((outcome) => !outcomes.includes(outcome));
          return (
            <button
              key={word}
              type="button"
              aria-pressed={chosen}
              onClick={() =>
                change({ ...filters, outcomes: chosen ? rest : [...rest, ...outcomes] })
              }
            >
              {word}
            </button>
          );
        })}
      </fieldset>
      <Choice
        label="State"
        words={STAGES}
        value={filters.stage}
        choose={(stage: Stage) => change({ ...filters, stage })}
      />
      <Choice
        label="Received"
        words={PERIODS}
        value={filters.period}
        choose={(period: Period) => change({ ...filters, period })}
      />
    </search>
  );
}

function SearchField({
  text,
  search,
}: {
  readonly text: string;
  readonly search: (text: string) => void;
}) {
  const [typed, setTyped] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => search(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, search]);
  return (
    <label class="search">
      Search
      <input
        type="search"
        placeholder="Name, ID, accession number, description"
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        maxLength={200}
        autocomplete="off"
      />
    </label>
  );
}

function Choice<Key extends string>({
  label,
  words,
  value,
  choose,
}: {
  readonly label: string;
  readonly words: Readonly<Record<Key, string>>;
  readonly value: Key;
  readonly choose: (key: Key) => void;
}) {
  return (
    <label>
      {label}
      <select value={value} onChange={({ currentTarget }) => choose(currentTarget.value as Key)}>
        {(Object.keys(words) as Key[]).map((key) => (
          <option key={key} value={key}>
            {words[key]}
          </option>
        ))}
      </select>
    </label>
  );
}
