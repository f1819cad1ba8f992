/** What is open at one destination. Times are milliseconds since the epoch. */
export interface DestinationBacklog {
  readonly destination: string;
  /** Waiting to be sent, or being sent. */
  readonly due: number;
  /** Answered with success, and to be proven. */
  readonly stored: number;
  /** Given up: a person has to look. */
  readonly dead: number;
  /** When the oldest of those due or stored was made; null where there are none. */
  readonly oldestAt: number | null;
  /** The failure of the most urgent of those due or stored; null where none has failed. */
  readonly failureCode: string | null;
}

/** From when on a result that has not arrived is a failure to be told, and no longer the wait of a busy hour. */
const OVERDUE_MS = 15 * 60_000;

/** How many deliveries wait for destinations that the configuration does not name. */
export function withoutDestination(
  backlog: readonly DestinationBacklog[],
  configured: readonly string[],
): number {
  return backlog
    .filter(({ destination }) => !configured.includes(destination))
    .reduce((sum, { due, stored }) => sum + due + stored, 0);
}

/** What is wrong with the deliveries, one sentence each, without patient data; empty where nothing is. */
export function deliveryProblems(
  backlog: readonly DestinationBacklog[],
  configured: readonly string[],
  now: number,
): string[] {
  return backlog.flatMap(({ destination, due, stored, dead, oldestAt, failureCode }) => {
    const waiting = due + stored;
    const problems: string[] = [];
    if (dead > 0) problems.push(`${dead} given up at ${destination}`);
    if (waiting > 0 && !configured.includes(destination)) {
      problems.push(`${waiting} wait for ${destination}, which the configuration does not name`);
    } else if (failureCode !== null && oldestAt !== null && now - oldestAt > OVERDUE_MS) {
      const since = new Date(oldestAt).toISOString();
      problems.push(`${waiting} wait for ${destination} since ${since} (${failureCode})`);
    }
    return problems;
  });
}
