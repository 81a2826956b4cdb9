import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { modulesOf, type Packages } from './install-peer.ts'
import { type BenchRevision, textOf } from './revisions.ts'
import { inTurns, type Place, quote, type Tool } from './tool.ts'

/** Somebody else's tool, and what has to be installed for it, pinned. */
export interface Peer extends Tool {
  readonly packages: Packages
}

const node = quote(process.execPath)

/** What a peer is made from. Each database has a folder of its own with its migrations. */
interface Description {
  readonly name: string
  readonly kind?: 'binary'
  readonly packages: Packages
  /** Writes the migrations of one database. */
  readonly files: (folder: string, revisions: readonly BenchRevision[]) => void
  /** Lines for one database, which `DATABASE_URL` names. */
  readonly up: (place: Place) => string
  readonly down?: (place: Place, revisions: number) => string
  readonly startUp: string
  readonly forget: string
}

function peer({ name, kind, packages, files, up, down, startUp, forget }: Description): Peer {
  return {
    name,
    kind: kind ?? 'node',
    packages,
    write: (folder, databases, revisions) => {
      symlinkSync(modulesOf(name, packages), join(folder, 'node_modules'))
      for (const database of databases) {
        mkdirSync(join(folder, database))
        files(join(folder, database), revisions)
      }
    },
    up: inTurns((place) => withUrl(place, up(place))),
    ...(down && {
      down: (places: readonly Place[], revisions: number) =>
        inTurns((place) => withUrl(place, down(place, revisions)))(places),
    }),
    startUp,
    forget,
  }
}

function withUrl({ url }: Place, line: string): string {
  return `export DATABASE_URL=${quote(url)} && ${line}`
}

/** A library and the program that calls it, in the folder in which it finds its packages. */
function library(description: Omit<Description, 'up' | 'down' | 'startUp'> & { readonly reverts: boolean }): Peer {
  const program = `${description.name}.mjs`
  const line = (what: string, place?: Place) => `${node} ${program} ${what} ${place?.name ?? ''}`
  const made = peer({
    ...description,
    up: (place) => line('up', place),
    ...(description.reverts && { down: (place: Place) => line('down', place) }),
    startUp: line('load'),
  })
  return {
    ...made,
    write: (folder, databases, revisions) => {
      copyFileSync(join(import.meta.dirname, 'programs', program), join(folder, program))
      made.write(folder, databases, revisions)
    },
  }
}

const driver = { pg: '8.23.1' }

/** Tools that people use today, as they come and with their own defaults. */
export const peers: readonly Peer[] = [
  library({
    name: 'drizzle-orm',
    packages: { 'drizzle-orm': '0.45.4', postgres: '3.4.9' },
    reverts: false,
    files: (folder, revisions) => {
      mkdirSync(join(folder, 'meta'))
      const entries = revisions.map(({ name, created }, idx) => {
        return { idx, version: '7', when: created.getTime(), tag: name, breakpoints: true }
      })
      write(folder, 'meta/_journal.json', JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
      for (const { name, up } of revisions) write(folder, `${name}.sql`, up.join(';\n--> statement-breakpoint\n'))
    },
    forget: 'drop schema if exists drizzle cascade',
  }),
  peer({
    name: 'node-pg-migrate',
    packages: { 'node-pg-migrate': '9.0.0', ...driver },
    files: (folder, revisions) => {
      for (const { name, up, down } of revisions) {
        // Its time stamps have 17 digits.
        const file = `${name.slice(0, 14)}000${name.slice(14)}.sql`
        write(folder, file, `-- Up Migration\n${textOf(up)}\n-- Down Migration\n${textOf(down)}`)
      }
    },
    up: ({ name }) => `${node} node_modules/node-pg-migrate/bin/node-pg-migrate.js up -m ${name}`,
    down: ({ name }, revisions) =>
      `${node} node_modules/node-pg-migrate/bin/node-pg-migrate.js down ${revisions} -m ${name}`,
    startUp: `${node} node_modules/node-pg-migrate/bin/node-pg-migrate.js --version`,
    forget: 'drop table if exists pgmigrations',
  }),
  library({
    name: 'umzug',
    packages: { umzug: '3.8.3', ...driver },
    reverts: true,
    files: (folder, revisions) => {
      for (const { name, up, down } of revisions) {
        write(folder, `${name}.up.sql`, textOf(up))
        write(folder, `${name}.down.sql`, textOf(down))
      }
    },
    forget: 'drop table if exists umzug',
  }),
  library({
    name: 'kysely',
    packages: { kysely: '0.29.9', ...driver },
    reverts: true,
    files: (folder, revisions) => {
      for (const { name, up, down } of revisions) {
        write(
          folder,
          `${name}.mjs`,
          `import { sql } from 'kysely'\n\nexport const up = (db) => sql.raw(${literal(up)}).execute(db)\n\nexport const down = (db) => sql.raw(${literal(down)}).execute(db)\n`,
        )
      }
    },
    forget: 'drop table if exists kysely_migration, kysely_migration_lock',
  }),
  peer({
    name: 'knex',
    packages: { knex: '3.3.0', ...driver },
    files: (folder, revisions) => {
      write(
        folder,
        'knexfile.js',
        `module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './migrations' } }\n`,
      )
      mkdirSync(join(folder, 'migrations'))
      for (const { name, up, down } of revisions) {
        write(
          folder,
          `migrations/${name}.js`,
          `exports.up = (knex) => knex.raw(${literal(up)})\n\nexports.down = (knex) => knex.raw(${literal(down)})\n`,
        )
      }
    },
    up: ({ name }) => `${node} node_modules/knex/bin/cli.js migrate:latest --knexfile ${name}/knexfile.js`,
    down: ({ name }) => `${node} node_modules/knex/bin/cli.js migrate:rollback --all --knexfile ${name}/knexfile.js`,
    startUp: `${node} node_modules/knex/bin/cli.js --version`,
    forget: 'drop table if exists knex_migrations, knex_migrations_lock',
  }),
  peer({
    name: 'graphile-migrate',
    packages: { 'graphile-migrate': '1.4.1' },
    files: (folder, revisions) => {
      write(folder, '.gmrc', `${JSON.stringify({ migrationsFolder: `${folder}/migrations` })}\n`)
      mkdirSync(join(folder, 'migrations', 'committed'), { recursive: true })
      let previous = ''
      for (const [index, { message, up }] of revisions.entries()) {
        const body = textOf(up)
        const digest = createHash('sha1')
          .update(`${`${previous}\n${body.trim()}`.trim()}\n`)
          .digest('hex')
        const slug = message.replaceAll(/[ _]/g, '-')
        write(
          folder,
          `migrations/committed/${String(index + 1).padStart(6, '0')}-${slug}.sql`,
          `--! Previous: ${previous === '' ? '-' : previous}\n--! Hash: sha1:${digest}\n--! Message: ${message}\n\n${body}`,
        )
        previous = `sha1:${digest}`
      }
    },
    up: ({ name }) => `${node} node_modules/graphile-migrate/dist/cli.js migrate --config ${name}/.gmrc`,
    startUp: `${node} node_modules/graphile-migrate/dist/cli.js --version`,
    forget: 'drop schema if exists graphile_migrate cascade',
  }),
  library({
    name: 'postgres-migrations',
    packages: { 'postgres-migrations': '5.3.0', ...driver },
    reverts: false,
    files: (folder, revisions) => {
      for (const [index, { message, up }] of revisions.entries()) {
        write(folder, `${index + 1}_${message.replaceAll(' ', '-')}.sql`, textOf(up))
      }
    },
    forget: 'drop table if exists migrations',
  }),
  peer({
    name: 'dbmate',
    kind: 'binary',
    packages: { dbmate: '2.36.0' },
    files: (folder, revisions) => {
      for (const { name, up, down } of revisions) {
        write(folder, `${name}.sql`, `-- migrate:up\n${textOf(up)}\n-- migrate:down\n${textOf(down)}`)
      }
    },
    up: ({ name }) => dbmate(name, 'migrate'),
    // It reverts one migration and ends.
    down: ({ name }, revisions) => `for _ in {1..${revisions}}; do ${dbmate(name, 'rollback')} || exit; done`,
    startUp: `${dbmateBinary()} --version`,
    forget: 'drop table if exists schema_migrations',
  }),
]

function dbmate(folder: string, command: string): string {
  return `${dbmateBinary()} --url "$DATABASE_URL?sslmode=disable" --migrations-dir ${folder} --no-dump-schema ${command}`
}

/** The program itself: what its package puts in front of it would start Node. */
function dbmateBinary(): string {
  return `node_modules/@dbmate/${process.platform}-${process.arch}/bin/dbmate`
}

/** Statements as a string in JavaScript. */
function literal(statements: readonly string[]): string {
  return JSON.stringify(textOf(statements))
}

function write(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}
