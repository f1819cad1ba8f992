import { AccountsPage } from '../accounts/accounts-page.js';
import { useMay } from '../api/context.js';
import { AuditPage } from '../audit/audit-page.js';
import { OperationsPage } from '../operations/operations-page.js';
import { LazyPage } from '../parts/lazy-page.js';
import { Note } from '../parts/notes.js';
import { usePlace } from '../router.js';
import { StudyPage } from '../study/study-page.js';
import { WorklistPage } from '../worklist/worklist-page.js';

const routingPage = () => import('../routing/routing-page.js').then((module) => module.RoutingPage);

/** The page that the address names. */
export function Pages() {
  const { path, query } = usePlace();
  const mayAdminister = useMay('admin');
  const [page, ...rest] = path;
  switch (page) {
    case undefined:
      return <WorklistPage query={query} />;
    case 'studies':
      return rest[0] === undefined ? (
        <WorklistPage query={query} />
      ) : (
        <StudyPage key={rest[0]} studyInstanceUid={rest[0]} query={query} />
      );
    case 'operations':
      return <OperationsPage />;
    case 'routing':
      return <LazyPage load={routingPage} />;
    case 'accounts':
      return mayAdminister ? <AccountsPage /> : <NotAllowed />;
    case 'audit':
      return mayAdminister ? <AuditPage /> : <NotAllowed />;
    default:
      return (
        <>
          <h1>Not found</h1>
          <Note>
            This page does not exist. <a href="#/">Go to the worklist</a>
          </Note>
        </>
      );
  }
}

function NotAllowed() {
  return (
    <>
      <h1>Not allowed</h1>
      <Note>Only administrators can open this page. Ask one of them for the role.</Note>
    </>
  );
}
