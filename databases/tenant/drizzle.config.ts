import { execFileSync } from 'node:child_process'

import { defineConfig } from 'drizzle-kit'

/** For Drizzle's own tools, run in this folder. `pnpm migrate` reads database.ts. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/schema/index.ts',
  out: './migrations',
  dbCredentials: {
    // Looked at only by tools that connect, such as Drizzle Studio.
    get url() {
      return process.env['TENANT_DATABASE_URL'] ?? developmentUrl()
    },
  },
})

/** The database on the development server, which is started for it. */
function developmentUrl(): string {
  return execFileSync(process.execPath, ['../../scripts/migrate.ts', 'server', 'url', 'tenant'], {
    encoding: 'utf8',
  }).trim()
}
