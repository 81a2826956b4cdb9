import { type Connection, quoteIdentifier, type Script, tenantSchema } from '@drover/engine'
import { DroverError, type Problem, throwProblems } from '@drover/history'

import { tryStatements } from '../try-statements.ts'

/** What a tenant finds besides its own schema. */
export interface TenantPlace {
  /** Schemas that all tenants share. */
  readonly shared: readonly string[]
}

/**
 * Makes the schema of a tenant, in which the history is built then: for this session, and for all that come after it in the database.
 */
export async function enterTenant(connection: Connection, { shared }: TenantPlace): Promise<void> {
  const path = [tenantSchema, ...shared].map(quoteIdentifier).join(', ')
  await connection.send(`create schema ${quoteIdentifier(tenantSchema)};
do $drover$
begin
  execute pg_catalog.format('alter database %I set search_path = ${path}', pg_catalog.current_database());
end
$drover$;
set search_path = ${path}`)
}

/**
 * Refuses a history in whose SQL the name of that schema occurs: it could not be told from the schema any more.
 * @throws {DroverError} `SNAPSHOT_FAILED`
 */
export function refuseTenantSchema(scripts: readonly Script[]): void {
  throwProblems(
    scripts
      .filter(({ sql }) => sql.toLowerCase().includes(tenantSchema))
      .map(({ file, revision }): Problem => ({
        code: 'SNAPSHOT_FAILED',
        revision: revision.id,
        file,
        message: `${file} speaks of ${tenantSchema}, which is what the schema of a tenant is called in a snapshot`,
        hint: 'give what it is about another name; the schema of the tenant itself needs none, because it is where names are looked for',
      })),
  )
}

/** The statement that makes the schema may be repeated: `create tenant` has made it, and has said who may use it. */
export function makeRepeatable(dump: string): string {
  return dump.replace(`CREATE SCHEMA ${tenantSchema};`, `CREATE SCHEMA IF NOT EXISTS ${tenantSchema};`)
}

/**
 * Finds the statements of a history that make what tenants share: those that speak of a shared schema, or create an extension, and can be
 * run for a tenant that has nothing, and leave it nothing. pg_dump would write what they have made as if nobody had it yet, and they
 * are written to find it, or to make it, because each tenant comes by them. Drops all that the database has in these schemas.
 */
export async function findSharedStatements(
  connection: Connection,
  scripts: readonly Script[],
  place: TenantPlace,
): Promise<readonly string[]> {
  const candidates = scripts
    .flatMap(({ statements }) => statements.map(({ text }) => text))
    .filter((text) => isAboutShared(text, place))
  if (candidates.length === 0) return []
  for (const schema of [tenantSchema, ...place.shared]) {
    await connection.send(`drop schema if exists ${quoteIdentifier(schema)} cascade`)
  }
  await enterTenant(connection, place)
  const found: string[] = []
  for (const text of candidates) if (await leavesNothing(connection, text)) found.push(text)
  return found
}

function isAboutShared(text: string, { shared }: TenantPlace): boolean {
  const lower = text.toLowerCase()
  return lower.startsWith('create extension') || shared.some((schema) => lower.includes(schema.toLowerCase()))
}

/** Runs a statement, and keeps what it did where that is nothing in the schema of the tenant. */
async function leavesNothing(connection: Connection, text: string): Promise<boolean> {
  const failure = await tryStatements(connection, ['begin', text], 'none')
  if (failure) return false
  const [row] = await connection.send(`select exists (
  select from pg_catalog.pg_depend
  where refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
    and refobjid = '${tenantSchema}'::pg_catalog.regnamespace
) as "isUsed"`)
  const isUsed = row?.['isUsed'] === true
  await connection.send(isUsed ? 'rollback' : 'commit')
  return !isUsed
}

/** Why a snapshot cannot be what every tenant is made from. */
export function describeSecondTenant(file: string, reason: string): DroverError {
  return new DroverError({
    code: 'SNAPSHOT_DIFFERS',
    file,
    message: `${file} makes a first tenant, and no second: ${reason}`,
    hint: 'what the history makes in shared schemas, it has to make only where it is missing',
  })
}
