import { useEffect, useState } from 'preact/hooks';
import { useConnection } from '../api/context.js';
import type { CheckedText } from './answers.js';

/** Until a person pauses in typing. */
const TYPING_MS = 400;

/**
 * What the node says of the draft; undefined while that is not known. `base` is known already, as it came with its own
 * problems.
 */
export function useChecked(
  draft: string,
  base: CheckedText & { readonly text: string },
): CheckedText | undefined {
  const { api } = useConnection();
  const [answer, setAnswer] = useState<{ text: string; checked: CheckedText }>();
  useEffect(() => {
    if (draft === base.text) return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      api.post<CheckedText>('/routing/validate', { text: draft }, controller.signal).then(
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
