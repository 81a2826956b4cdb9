import { DroverError } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import { interruptible } from '../interruption.ts'
import { count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'
import { openTenants, soleTenants } from '../tenants.ts'

interface CreateOptions extends CommonOptions {
  readonly set?: readonly string[]
}

/** Makes a tenant, or finishes one that was begun: repeating it does no harm. */
export async function createTenant(session: Session, options: CreateOptions, slug = ''): Promise<ExitCode> {
  const values = readValues(options.set ?? [])
  const { workspace, database } = await soleTenants(session)
  await using set = await openTenants(session, workspace, database)
  const { createTenant: create } = await import('@drover/orchestrator/tenants')
  // Awaited here: the connections are closed when this function returns.
  return await interruptible(session, {}, async ({ signal }) => {
    const { tenant, row, revisions, warning } = await create(set, {
      slug,
      values,
      root: workspace.root,
      environment: session.io.env,
      command: session.command,
      actor: session.actor(workspace),
      limits: {},
      signal,
    })
    if (warning) session.warn(warning)
    const name = session.out.strong(database.name)
    if (row === 'found' && revisions === 0)
      session.print(`${name}: ${slug} is there already and has all revisions, nothing to do`)
    else if (row === 'found')
      session.print(`${name}: ${slug} was there, and has ${count(revisions, 'revision')} more in ${tenant.target}`)
    else session.print(`${name}: made ${slug}, with ${count(revisions, 'revision')} in ${tenant.target}`)
    if (row === 'found' && options.set) {
      session.warn({
        code: 'TENANT_EXISTS',
        message: `${slug} had a row before, which is left as it is`,
        hint: 'change it with SQL',
      })
    }
    return session.finish({
      databases: [],
      tenant: {
        slug,
        target: tenant.target,
        row,
        revisions,
        ...(tenant.server !== undefined && { server: tenant.server }),
      },
    })
  })
}

/** `name=Acme` → the column and what it is to hold. */
function readValues(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) {
        throw new DroverError({
          code: 'USAGE',
          message: `--set ${pair} says no value`,
          hint: 'write it as --set <column>=<value>',
        })
      }
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
