import { useState } from 'preact/hooks';
import type { CheckResult, EchoResult } from '../../admin/api/schemas/destinations.js';
import type { Operations } from '../../admin/api/schemas/operations.js';
import { messageOf } from '../api/client.js';
import { useConnection, useMay } from '../api/context.js';
import { ago } from '../times.js';
import { CheckOutcome } from './check-outcome.js';

type Destination = Operations['destinations'][number];

export function DestinationTable({
  destinations,
}: {
  readonly destinations: readonly Destination[];
}) {
  const mayOperate = useMay('operator');
  return (
    <section>
      <h2>Destinations</h2>
      {destinations.length === 0 ? (
        <p class="note warning">No destination is configured: results go nowhere.</p>
      ) : (
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Destination</th>
              <th scope="col">Health</th>
              <th scope="col">Waiting</th>
              <th scope="col">Given up</th>
              <th scope="col">Last success</th>
              {mayOperate && (
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {destinations.map((one) => (
              <DestinationRow key={one.name} destination={one} mayOperate={mayOperate} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

type Answer =
  | { readonly kind: 'asking' }
  | { readonly kind: 'echo'; readonly result: EchoResult }
  | { readonly kind: 'check'; readonly result: CheckResult }
  | { readonly kind: 'error'; readonly text: string };

function DestinationRow({
  destination,
  mayOperate,
}: {
  readonly destination: Destination;
  readonly mayOperate: boolean;
}) {
  const { api } = useConnection();
  const [answer, setAnswer] = useState<Answer>();
  const { name, aeTitle, due, stored, dead, oldestAt, lastError, lastSuccessAt } = destination;
  const ask = async (kind: 'echo' | 'check') => {
    setAnswer({ kind: 'asking' });
    try {
      const path = `/destinations/${encodeURIComponent(name)}/${kind}`;
      setAnswer(
        kind === 'echo'
          ? { kind, result: await api.post<EchoResult>(path) }
          : { kind, result: await api.post<CheckResult>(path) },
      );
    } catch (error) {
      setAnswer({ kind: 'error', text: messageOf(error) });
    }
  };
  return (
    <>
      <tr>
        <td>
          <div>
            <b>{name}</b>
            <div class="quiet">{aeTitle ?? 'no more in the configuration'}</div>
          </div>
        </td>
        <td data-name="Health">{healthText(destination)}</td>
        <td data-name="Waiting">
          <div>
            {due}
            {stored > 0 && `, ${stored} to be proven`}
            {oldestAt !== null && <div class="quiet">oldest {ago(oldestAt)}</div>}
            {lastError !== null && <div class="warned">{lastError}</div>}
          </div>
        </td>
        <td data-name="Given up" class={dead > 0 ? 'alarm' : ''}>
          {dead}
        </td>
        <td data-name="Last success">{lastSuccessAt === null ? 'Never' : ago(lastSuccessAt)}</td>
        {mayOperate && (
          <td>
            {aeTitle !== null && (
              <div class="row">
                <button type="button" onClick={() => ask('echo')}>
                  Echo<span class="hidden"> {name}</span>
                </button>
                <button type="button" onClick={() => ask('check')}>
                  Check this PACS<span class="hidden"> {name}</span>
                </button>
              </div>
            )}
          </td>
        )}
      </tr>
      {answer !== undefined && (
        <tr class="answer">
          <td colSpan={6}>
            <div role="status">
              <AnswerText answer={answer} />
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

function AnswerText({ answer }: { readonly answer: Answer }) {
  switch (answer.kind) {
    case 'asking':
      return <>Asking…</>;
    case 'error':
      return <span class="alarm">✕ {answer.text}</span>;
    case 'check':
      return <CheckOutcome result={answer.result} />;
    case 'echo':
      return answer.result.ok ? (
        <span class="done">
          ✓ Answered C-ECHO in {Math.round(answer.result.totalMs)} ms (connection{' '}
          {Math.round(answer.result.connectMs)}, association {Math.round(answer.result.associateMs)}
          , answer {Math.round(answer.result.roundTripMs)})
        </span>
      ) : (
        <span class="alarm">✕ {answer.result.message}</span>
      );
  }
}

function healthText({ dead, lastError, due, lastSuccessAt }: Destination) {
  if (dead > 0) return <span class="alarm">✕ Results did not arrive</span>;
  if (lastError !== null) return <span class="warned">◔ Trying again</span>;
  if (due > 0) return '◔ Sending';
  return lastSuccessAt === null ? 'Not used yet' : <span class="done">✓ All delivered</span>;
}
