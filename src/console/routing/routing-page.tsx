import type { Routing } from '../../admin/api/schemas/routing.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { Workbench } from './workbench.js';
import './routing.css';

/** The configuration file: what it says, what a change would do, and who changed it before. */
export function RoutingPage() {
  const { api } = useConnection();
  const current = useResource(
    'routing',
    (signal) => api.get<Routing>('/routing', signal),
    ({ kind }) => kind === 'routing',
  );
  return (
    <>
      <h1>Routing</h1>
      <Loaded resource={current}>
        {(routing) => <Workbench current={routing} reload={current.reload} />}
      </Loaded>
    </>
  );
}
