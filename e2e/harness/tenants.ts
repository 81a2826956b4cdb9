import { queryColumn } from './query.ts'
import { createWorkspace, type TestWorkspace } from './workspace.ts'

/** A workspace whose database `main` lists tenants, and whose database `tenant` has the history of their schemas. */
export interface TenantWorkspace extends TestWorkspace {
  /** URL of the database that everything is in. */
  readonly url: string
  /** Adds rows to the table of tenants. */
  list(...slugs: readonly string[]): Promise<void>
}

/** The revisions of `tenant` that every workspace begins with. */
export const firstRevision = 'bbbb00000001'
export const secondRevision = 'bbbb00000002'

/** @param options fields of `schemaPerTenant`, as the text of an object */
export async function createTenantWorkspace(
  options = `registry: { defaults: { name: '{slug}' } }`,
): Promise<TenantWorkspace> {
  await using opened = new AsyncDisposableStack()
  const workspace = opened.use(await createWorkspace())
  const url = await workspace.addDatabase('main')
  await workspace.addRevision('main', {
    id: 'aaaa00000001',
    up: 'create table tenants (slug text primary key, name text not null, region text);\n',
    down: 'drop table tenants;\n',
  })
  await workspace.write(
    'databases/tenant/database.ts',
    `import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({ name: 'tenant', tenants: schemaPerTenant({ ${options} }) })
`,
  )
  await workspace.addRevision('tenant', {
    id: firstRevision,
    message: 'create contexts',
    up: 'create table contexts (id integer primary key generated always as identity, title text not null);\n',
    down: 'drop table contexts;\n',
  })
  await workspace.addRevision('tenant', {
    id: secondRevision,
    message: 'add summaries',
    up: 'create table summaries (context integer not null references contexts, body text);\n',
    down: 'drop table summaries;\n',
  })
  const first = await workspace.migrate('upgrade', '-d', 'main')
  if (first.exitCode !== 0) throw new Error(`the workspace could not be set up:\n${first.stderr}`)
  const owned = opened.move()
  return {
    ...workspace,
    url,
    list: async (...slugs) => {
      const values = slugs.map((slug) => `('${slug.replaceAll("'", "''")}', 'x')`)
      await queryColumn(url, `insert into tenants (slug, name) values ${values.join(', ')}`)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What is recorded as applied to each tenant, by schema. */
export async function readTenants(url: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = await queryColumn(
    url,
    `select jsonb_build_array(target, jsonb_agg(revision order by revision)) as row
from drover.applied
where history = 'tenant' and state = 'applied'
group by target
order by target`,
  )
  return Object.fromEntries(rows as readonly [string, readonly string[]][])
}
