import { useEffect, useState } from 'preact/hooks';
import type { Validation } from '../../admin/api/schemas/routing.js';
import { useConnection } from '../api/context.js';

/** Until a person pauses in typing. */
const TYPING_MS = 400;

/**
 * What the node says of the draft; undefined while that is not known. `base` is known already, as it came with its own
 * problems.
 */
export function useChecked(
  draft: string,
  base: Validation & { readonly text: string },
): Validation | undefined {
  const { api } = useConnection();
  const [answer, setAnswer] = useState<{ text: string; checked: Validation }>();
  useEffect(() => {
    if (draft === base.text) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      api.post<Validation>('/routing/validate', { text: draft }, controller.signal).then(
        (checked) => setAnswer({ text: draft, checked }),
        // Nothing can be applied until the node has checked it: the next key asks again.
        () => undefined,
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [api, draft, base]);
  if (draft === base.text) return base;
  return answer?.text === draft ? answer.checked : undefined;
}
