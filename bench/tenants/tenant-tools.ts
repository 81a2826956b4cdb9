import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { linearHistory, makeWorkspace, writeDatabase } from '../generate.ts'
import { modulesOfDrover } from '../runner/install-drover.ts'
import { peers } from '../runner/peers.ts'
import { type BenchRevision, textOf } from '../runner/revisions.ts'
import { quote } from '../runner/tool.ts'

/** On how many connections all of them work. */
const connections = 4

/** Something that brings the schemas of tenants up to date. Its lines of shell are run in its folder. */
export interface TenantTool {
  readonly name: string
  /** Writes what it reads. */
  write(folder: string, history: TenantFiles): void
  /** Brings all tenants to where the folder says. */
  all(url: string): string
  /** The same when there is nothing to do. Default: as `all`. */
  readonly nothing?: (url: string) => string
  /** The same for one tenant for whom there is nothing to do. */
  one(url: string, slug: string): string
}

/** What a folder is written for. */
interface TenantFiles {
  readonly slugs: readonly string[]
  readonly revisions: readonly BenchRevision[]
  /** How many of the revisions tenants have had before. */
  readonly had: number
}

const node = quote(process.execPath)

/**
 * psql with the same SQL and as many connections: one message and one transaction for each tenant, and no record of what it has done.
 * It is told what tenants have had, so where there is nothing to do it reads the slugs and ends.
 */
export const floor: TenantTool = {
  name: 'psql',
  write: (folder, { slugs, revisions, had }) => {
    const statements = revisions.slice(had).flatMap(({ up }) => up)
    for (let at = 0; at < connections; at += 1) {
      const own = slugs.filter((_, index) => index % connections === at)
      writeFileSync(join(folder, `${at}.sql`), own.map((slug) => oneMessage(slug, statements, had === 0)).join(''))
    }
  },
  all: (url) => {
    const files = Array.from({ length: connections }, (_, at) => `${psql(url)} -f ${at}.sql > /dev/null & pids+=($!)`)
    return `pids=(); ${files.join('; ')}; for pid in "\${pids[@]}"; do wait "$pid" || exit; done`
  },
  nothing: (url) => `${psql(url)} -c 'select slug from tenants' > /dev/null`,
  one: (url, slug) => `${psql(url)} -c "select slug from tenants where slug = '${slug}'" > /dev/null`,
}

/** The statements for a tenant as psql sends them in one message: those that end with `\;` wait for the next. */
function oneMessage(slug: string, statements: readonly string[], isNew: boolean): string {
  const schema = `tenant_${slug}`
  const all = [
    'begin',
    ...(isNew ? [`create schema ${schema}`] : []),
    `set local search_path = ${schema}`,
    ...statements,
    'commit',
  ]
  return `${all.join('\\;\n')};\n`
}

function psql(url: string): string {
  return `psql -X -q -v ON_ERROR_STOP=1 ${quote(url)}`
}

const published = quote(join(modulesOfDrover, '@drover', 'cli', 'dist', 'main.js'))

/** This repository's own, as it is published. */
export const drover: TenantTool = {
  name: 'drover',
  write: (folder, { revisions }) => {
    makeWorkspace(folder, join(modulesOfDrover, '@drover', 'config'))
    writeDatabase(folder, 'main', [])
    writeDatabase(folder, 'tenant', linearHistory(revisions.length), (index) => {
      const { message, up, down } = revisions[index]!
      return { message, up: textOf(up), down: textOf(down) }
    })
    writeFileSync(
      join(folder, 'databases', 'tenant', 'database.ts'),
      `import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: schemaPerTenant({ connections: ${connections} }) })
`,
    )
  },
  all: (url) => upgrade(url),
  one: (url, slug) => `${upgrade(url)} --tenant ${slug}`,
}

function upgrade(url: string): string {
  return `MAIN_DATABASE_URL=${quote(url)} TENANT_DATABASE_URL=${quote(url)} ${node} ${published} tenant upgrade`
}

/** What is installed for the loop. */
export const drizzle = peers.find(({ name }) => name === 'drizzle-orm')!

/** The loop around drizzle-orm's migrator that its users write. */
export const drizzleLoop: TenantTool = {
  name: 'drizzle-orm',
  write: (folder, { revisions }) => {
    copyFileSync(join(import.meta.dirname, 'programs', 'drizzle-loop.mjs'), join(folder, 'drizzle-loop.mjs'))
    drizzle.write(folder, ['tenant'], revisions)
  },
  all: (url) => loop(url),
  one: (url, slug) => `${loop(url)} ${slug}`,
}

function loop(url: string): string {
  return `DATABASE_URL=${quote(url)} ${node} drizzle-loop.mjs tenant ${connections}`
}
