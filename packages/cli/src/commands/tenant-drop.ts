import { createWriteStream } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'

import { DroverError } from '@drover/history'
import type { DoomedTenant, TenantSet } from '@drover/orchestrator/tenants'

import { findObjection } from '../confirmation.ts'
import type { ExitCode } from '../exit-code.ts'
import { count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'
import { openTenants, soleTenants } from '../tenants.ts'

interface DropOptions extends CommonOptions {
  readonly export?: string | boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Drops a tenant, after its rows were written into a file and somebody has agreed. */
export async function dropTenant(session: Session, options: DropOptions, slug = ''): Promise<ExitCode> {
  const { workspace, database } = await soleTenants(session)
  await using set = await openTenants(session, workspace, database)
  const { dropTenant: drop, lookAtTenant } = await import('@drover/orchestrator/tenants')
  const doomed = await lookAtTenant(set, slug)
  const file = fileOf(session, options, doomed)
  const lines = describe(doomed, set, file)
  const body = (dropped: boolean) => ({
    databases: [],
    tenant: {
      slug,
      target: doomed.tenant.target,
      dropped,
      tables: doomed.tables ?? [],
      ...(file !== undefined && { file }),
    },
  })
  if (options.dryRun) {
    session.print(...lines)
    return session.finish(body(false))
  }
  const refusal = await findObjection(session, {
    lines,
    question: `Drop the tenant ${slug}?`,
    what: 'dropping it',
    databases: [database],
    yes: options.yes,
  })
  // Where nobody can be asked, what cannot be undone has to be asked for in so many words.
  const unasked = refusal ?? (session.io.confirm || options.yes ? undefined : notConfirmed(database.name))
  if (unasked) return session.finish(body(false), [unasked])
  if (file !== undefined) {
    await writeFile(set, doomed, file)
    session.progress(`wrote ${file}; it goes back with: pnpm migrate tenant create ${slug}, then psql -f ${file}`)
  }
  await drop(set, doomed)
  session.print(`${session.out.strong(database.name)}: dropped ${slug}`)
  return session.finish(body(true))
}

function describe(
  { tenant, hasRow, tables }: DoomedTenant,
  { config }: TenantSet,
  file: string | undefined,
): readonly string[] {
  const what = config.kind === 'schema' ? 'schema' : 'database'
  return [
    `${tenant.slug}: will drop ${tables ? `the ${what} ${tenant.target}` : `nothing but its row: there is no ${what} ${tenant.target}`}`,
    ...(tables ?? []).map(({ name, rows }) => `  ${name}: ${count(rows, 'row')}`),
    ...(hasRow
      ? [`  its row in ${config.registry.table}, with whatever refers to it and goes along`]
      : ['  it has no row any more']),
    ...(file === undefined ? ['  nothing of it is kept'] : [`  its rows are written to ${file} first`]),
  ]
}

/** Where its rows are written; nothing where there are none, or they are not to be kept. */
function fileOf({ io }: Session, options: DropOptions, { tenant, tables }: DoomedTenant): string | undefined {
  if (options.export === false || !tables) return undefined
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const name = typeof options.export === 'string' ? options.export : `${tenant.slug}-${time}.sql`
  return resolve(io.cwd, name)
}

async function writeFile(set: TenantSet, { tenant, host }: DoomedTenant, file: string): Promise<void> {
  const head = `-- The rows of the tenant ${tenant.slug}, for tables that: pnpm migrate tenant create ${tenant.slug} has made.\n`
  const path =
    set.config.kind === 'schema'
      ? `set search_path = "${tenant.target}", ${[...set.config.shared, 'pg_catalog'].join(', ')};\n`
      : ''
  try {
    await pipeline(
      async function* () {
        yield `${head}begin;\n${path}`
        yield* host.exportRows(tenant)
        yield 'commit;\n'
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    )
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new DroverError(
      {
        code: 'WRITE_FAILED',
        message: `${basename(file)} is there already`,
        hint: 'name another file with --export, or delete it',
      },
      { cause: error },
    )
  }
}

function notConfirmed(database: string) {
  return {
    code: 'NOT_CONFIRMED',
    database,
    message: 'nobody can be asked here: nothing was changed',
    hint: 'confirm it with --yes',
  } as const
}
