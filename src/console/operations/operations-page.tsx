import type { Operations } from '../../admin/api/schemas/operations.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { when } from '../times.js';
import { DestinationTable } from './destination-table.js';
import { HealthSection } from './health-section.js';
import { KeyFigures } from './key-figures.js';
import { ResultDrift } from './result-drift.js';
import { SecondReaderSection } from './second-reader-section.js';
import { SourceTable } from './source-table.js';
import { Throughput } from './throughput.js';
import './operations.css';

/** How the node fares: what fails first, then the figures, then each party on either side. */
export function OperationsPage() {
  const { api } = useConnection();
  const found = useResource(
    'operations',
    (signal) => api.get<Operations>('/operations', signal),
    () => true,
  );
  return (
    <>
      <h1>Operations</h1>
      <Loaded resource={found}>
        {(operations) => (
          <>
            <HealthSection health={operations.health} />
            <KeyFigures operations={operations} />
            <Throughput hours={operations.throughput} />
            <DestinationTable destinations={operations.destinations} />
            <SourceTable sources={operations.sources} />
            <ResultDrift results={operations.results} />
            <SecondReaderSection readers={operations.secondReaders} />
            <p class="quiet foot">
              Model {operations.model.name} {operations.model.version}, package{' '}
              <code>{operations.model.hash.slice(0, 16)}</code>. As of {when(operations.at)}.
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}
