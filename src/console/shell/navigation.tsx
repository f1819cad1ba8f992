import { useMay } from '../api/context.js';
import { href } from '../router.js';

const PAGES = [
  { page: 'studies', path: [], word: 'Worklist', role: 'viewer' },
  { page: 'operations', path: ['operations'], word: 'Operations', role: 'viewer' },
  { page: 'routing', path: ['routing'], word: 'Routing', role: 'viewer' },
  { page: 'accounts', path: ['accounts'], word: 'Users', role: 'admin' },
  { page: 'audit', path: ['audit'], word: 'Audit', role: 'admin' },
] as const;

export function Navigation({ page }: { readonly page: string }) {
  const mayAdminister = useMay('admin');
  return (
    <nav aria-label="Pages">
      <ul>
        {PAGES.filter(({ role }) => role === 'viewer' || mayAdminister).map((one) => (
          <li key={one.page}>
            <a href={href(one.path)} aria-current={one.page === page ? 'page' : undefined}>
              {one.word}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
