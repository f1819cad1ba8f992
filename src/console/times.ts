const DAY = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `14:03:09` today, `2026-02-01 14:03:09` on any other day; local time. */
export function when(ms: number): string {
  const day = DAY.format(ms);
  const clock = CLOCK.format(ms);
  return day === DAY.format(Date.now()) ? clock : `${day} ${clock}`;
}

/** Always with its day. */
export function dateAndTime(ms: number): string {
  return `${DAY.format(ms)} ${CLOCK.format(ms)}`;
}

/** `0.8 s`, `42 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return both(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return both(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return both(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function both(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;
}

/** How long ago, in one unit. */
export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - ms) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 24 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / (24 * 3600))} d ago`;
}

/** A DICOM date (`YYYYMMDD`) as `YYYY-MM-DD`; anything else as it is. */
export function dicomDate(date: string): string {
  return /^\d{8}$/.test(date) ? `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}` : date;
}
