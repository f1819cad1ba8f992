import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/build-once.ts'],
    projects: ['unit', 'integration', 'interop', 'browser'].map((name) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout: name === 'unit' ? 10_000 : 60_000,
        hookTimeout: 60_000,
      },
    })),
    // Each file starts servers, an inference process or peers of its own: more at once than cores only queue up.
    maxWorkers: 2,
  },
});
