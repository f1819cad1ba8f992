/** One association of a sender. */
export interface SeenAssociation {
  readonly aeTitle: string;
  readonly openedAt: number;
  /** Null while it is open. */
  readonly ended: string | null;
}

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** With fewer gaps nobody can say what is usual. */
const FEWEST_GAPS = 10;
/** Silence is told from here on: longer than usual by half, and than a busy hour in any case. */
const LONGER_THAN_USUAL = 1.5;
const SHORTEST_SILENCE_MS = HOUR;

/**
 * What each sender has done, those that were seen last first. A sender is silent once it has been so for longer than it
 * has been wont to be: nights and weekends count as usual.
 *
 * @param associations in the order of their begin; times in ms since the epoch
 */
export function sourceActivity(associations: readonly SeenAssociation[], now: number) {
  return [...grouped(associations)]
    .map(([aeTitle, own]) => {
      const times = own.map(({ openedAt }) => openedAt);
      const lastSeenAt = times.at(-1) ?? 0;
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time));
      const usualGapMs = gaps.length < FEWEST_GAPS ? null : Math.max(...gaps);
      const limit = Math.max(SHORTEST_SILENCE_MS, (usualGapMs ?? 0) * LONGER_THAN_USUAL);
      return {
        aeTitle,
        lastSeenAt,
        abortedAssociations24h: own.filter(
          ({ openedAt, ended }) => openedAt >= now - DAY && ended !== null && ended !== 'released',
        ).length,
        silent: usualGapMs !== null && now - lastSeenAt > limit,
        usualGapMs,
      };
    })
    .sort((a, b) => b.lastSeenAt - a.lastSeenAt);
}

function grouped(associations: readonly SeenAssociation[]): Map<string, SeenAssociation[]> {
  const groups = new Map<string, SeenAssociation[]>();
  for (const association of associations) {
    const group = groups.get(association.aeTitle);
    if (group === undefined) groups.set(association.aeTitle, [association]);
    else group.push(association);
  }
  return groups;
}
