import { useEffect, useState } from 'preact/hooks';

/** The server judges; this says it before somebody has typed it twice for nothing. */
const SHORTEST = 12;

/** A password, twice. Gives undefined to `choose` until both are the same and long enough. */
export function NewPassword({
  choose,
}: {
  readonly choose: (password: string | undefined) => void;
}) {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const isLong = password.length >= SHORTEST;
  const isSame = password === again;
  useEffect(
    () => choose(isLong && isSame ? password : undefined),
    [choose, password, isLong, isSame],
  );
  return (
    <>
      <label>
        Password, {SHORTEST} characters or more
        <input
          type="password"
          value={password}
          onInput={({ currentTarget }) => setPassword(currentTarget.value)}
          autocomplete="new-password"
          minLength={SHORTEST}
          required
        />
      </label>
      <label>
        Password again
        <input
          type="password"
          value={again}
          onInput={({ currentTarget }) => setAgain(currentTarget.value)}
          autocomplete="new-password"
          required
        />
        {again !== '' && !isSame && <span role="status">The two passwords are not the same.</span>}
      </label>
    </>
  );
}
