/** Rows as columns of text, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Local date and time to the second; a dash where there is none. */
export function when(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** What a destination answered, and what was wrong. */
export function outcomeText(delivery: {
  readonly status: number | null;
  readonly failureClass: string | null;
  readonly failureCode: string | null;
}): string {
  const { status, failureClass, failureCode } = delivery;
  const failure = failureCode === null ? '' : `${failureCode} (${failureClass ?? 'unknown class'})`;
  return [status === null ? '' : statusText(status), failure].filter(Boolean).join(' ');
}

/** A C-STORE status as the standard writes it. */
export const statusText = (status: number) =>
  `0x${status.toString(16).padStart(4, '0').toUpperCase()}`;
