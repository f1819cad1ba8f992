type Run = (...args: never[]) => Promise<number>;

/** A command whose code is read when it runs: to read that of all commands takes longer than most of them. */
export function later<Module extends Record<Name, Run>, Name extends string>(
  load: () => Promise<Module>,
  name: Name,
): Module[Name] {
  const run: Run = async (...args) => (await load())[name](...args);
  return run as Module[Name];
}
