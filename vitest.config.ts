import { defineConfig } from 'vitest/config'

const END_TO_END = 'packages/testing/e2e/**/*.test.ts'

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    coverage: { enabled: false },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/**/*.test.ts', 'bench/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/node_modules/**', END_TO_END],
          sequence: { groupOrder: 0 },
        },
      },
      {
        // One file at a time, after the others: these load real processes and measure them.
        extends: true,
        test: {
          name: 'e2e',
          include: [END_TO_END],
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
