import { defineConfig } from 'vitest/config'

const rooms = ['packages/*/src', 'databases/*/src', 'scripts']

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['./scripts/seed-tests.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: rooms.map((room) => `${room}/**/*.test.ts`),
          exclude: ['**/*.integration.test.ts', '**/node_modules/**'],
          // Property tests take a second or two, and many times that where other work has the processors.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          include: [...rooms.map((room) => `${room}/**/*.integration.test.ts`), 'e2e/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          // One real server for the whole run, started before the first of these tests and stopped after the last.
          globalSetup: ['./packages/server/src/vitest-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
