/** `dark` unless a person chose otherwise, as reading rooms are dark; `system` follows prefers-color-scheme. */
export type Theme = 'dark' | 'light' | 'system';

const KEY = 'vigil-theme';
const light = matchMedia('(prefers-color-scheme: light)');

export function storedTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === 'light' || stored === 'system' ? stored : 'dark';
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Gives the page its palette (styles/tokens.css), now and when the system changes its mind. */
export function followTheme(): void {
  light.addEventListener('change', applyTheme);
  applyTheme();
}

function applyTheme(): void {
  const theme = storedTheme();
  const resolved = theme === 'system' ? (light.matches ? 'light' : 'dark') : theme;
  document.documentElement.dataset['theme'] = resolved;
}
