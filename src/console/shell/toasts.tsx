import { type ComponentChildren, createContext } from 'preact';
import { useCallback, useContext, useRef, useState } from 'preact/hooks';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const ToastContext = createContext<(text: string, isError?: boolean) => void>(() => undefined);

/** Says what became of an action, in sight and to a screen reader. An error stays until it is closed. */
export const useToast = () => useContext(ToastContext);

const SHOWN_MS = 6000;

export function ToastArea({ children }: { readonly children: ComponentChildren }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const last = useRef(0);
  const close = useCallback((id: number) => {
    setToasts((all) => all.filter((one) => one.id !== id));
  }, []);
  const add = useCallback(
    (text: string, isError = false) => {
      const id = ++last.current;
      setToasts((all) => [...all, { id, text, isError }]);
      if (!isError) setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  return (
    <ToastContext.Provider value={add}>
      {children}
      <section class="toasts" aria-label="Messages" aria-live="polite">
        {toasts.map(({ id, text, isError }) => (
          <div key={id} class={isError ? 'toast error' : 'toast'}>
            <p>{text}</p>
            <button
              type="button"
              class="plain"
              aria-label="Close the message"
              onClick={() => close(id)}
            >
              ×
            </button>
          </div>
        ))}
      </section>
    </ToastContext.Provider>
  );
}
