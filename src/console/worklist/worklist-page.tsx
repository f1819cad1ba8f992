import { useCallback, useState } from 'preact/hooks';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { noteQuery } from '../router.js';
import { FilterBar } from './filter-bar.js';
import { type Filters, filtersFrom, isUnfiltered, queryOf } from './filters.js';
import { findStudies } from './find-studies.js';
import { StudyTable } from './study-table.js';
import './worklist.css';

/** All studies, those first that a person has to look at. */
export function WorklistPage({ query }: { readonly query: URLSearchParams }) {
  const { api } = useConnection();
  const [filters, setFilters] = useState<Filters>(() => filtersFrom(query));
  const [text, setText] = useState('');
  const [pages, setPages] = useState(1);

  const change = useCallback((next: Filters) => {
    setFilters(next);
    setPages(1);
    noteQuery(queryOf(next));
  }, []);
  const search = useCallback((next: string) => {
    setText(next);
    setPages(1);
  }, []);

  const found = useResource(
    JSON.stringify({ filters, text, pages }),
    (signal) => findStudies(api, filters, text, pages, signal),
    ({ kind }) => kind === 'study' || kind === 'delivery',
  );
  const narrowed = !isUnfiltered(filters) || text !== '';
  return (
    <>
      <h1>Worklist</h1>
      <FilterBar filters={filters} change={change} text={text} search={search} />
      <Loaded resource={found}>
        {({ first, others, hasMore }) => (
          <>
            {first.length > 0 && <StudyTable title="Look at these first" studies={first} live />}
            {others.length > 0 && (
              <StudyTable title={first.length > 0 ? 'All others' : 'Studies'} studies={others} />
            )}
            {first.length + others.length === 0 && <Empty narrowed={narrowed} />}
            {hasMore && (
              <button type="button" class="more" onClick={() => setPages(pages + 1)}>
                Show more
              </button>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Empty({ narrowed }: { readonly narrowed: boolean }) {
  return (
    <p class="note" role="status">
      {narrowed
        ? 'No study fits this search.'
        : 'No study has come yet. Point a scanner at this node, and it appears here while its slices arrive.'}
    </p>
  );
}
