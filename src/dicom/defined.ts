/** Leaves out what is undefined, as optional properties require. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {};
  for (const key in values) {
    if (values[key] !== undefined) kept[key] = values[key];
  }
  return kept as { [K in keyof T]: Exclude<T[K], undefined> };
}
