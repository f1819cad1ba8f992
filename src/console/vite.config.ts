import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the console also works behind a proxy that puts it under a path.
  base: './',
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: URL.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
