import { randomBytes } from 'node:crypto'

import { inject } from 'vitest'

import { query } from './query.ts'
import { createWorkspace, type TestWorkspace } from './workspace.ts'

/** A workspace with two databases, `alpha` and `beta`, that declare roles. Neither databases nor roles are there yet. */
export interface Guarded extends TestWorkspace {
  /** An administrator of the server. */
  readonly server: string
  /** URL of a database for one of its roles, or for the administrator. */
  urlOf(database: 'alpha' | 'beta', who: Who, of?: 'alpha' | 'beta'): string
  roleOf(database: 'alpha' | 'beta', who: Exclude<Who, 'admin'>): string
  passwordOf(database: 'alpha' | 'beta', who: Exclude<Who, 'admin'>): string
}

type Who = 'owner' | 'app' | 'readonly' | 'admin'

/** Makes it. Roles belong to the whole server, so they have random names, and are dropped in the end. */
export async function createGuarded(): Promise<Guarded> {
  const workspace = await createWorkspace()
  const prefix = `t${randomBytes(5).toString('hex')}`
  const server = inject('serverUrl')
  const roleOf: Guarded['roleOf'] = (database, who) => `${prefix}_${database}_${who}`
  // Everything that a URL or a literal could stumble over.
  const passwordOf: Guarded['passwordOf'] = (database, who) => `p'"\\@:/?#%é ${prefix} ${database} ${who}`
  const databases: Record<string, string> = {}
  const urlOf: Guarded['urlOf'] = (database, who, of = database) => {
    const url = new URL(databases[database]!)
    if (who !== 'admin') {
      url.username = roleOf(of, who)
      url.password = encodeURIComponent(passwordOf(of, who))
    }
    return url.href
  }
  for (const name of ['alpha', 'beta'] as const) {
    databases[name] = await workspace.addDatabase(name, { create: false })
    const [owner, app, readonly] = (['owner', 'app', 'readonly'] as const).map((who) => roleOf(name, who))
    await workspace.write(
      `databases/${name}/database.ts`,
      `import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: '${name}',
  access: { owner: '${owner}', app: '${app}', readonly: '${readonly}', extensions: ['citext'] },
})
`,
    )
    workspace.env[`${name.toUpperCase()}_DATABASE_URL`] = urlOf(name, 'owner')
    workspace.env[`${name.toUpperCase()}_APP_PASSWORD`] = passwordOf(name, 'app')
    workspace.env[`${name.toUpperCase()}_READONLY_PASSWORD`] = passwordOf(name, 'readonly')
    await workspace.addRevision(name, {
      id: `${name === 'alpha' ? 'a1' : 'b1'}00000000aa`,
      parents: [],
      up: 'create extension if not exists citext; create table note (id integer generated always as identity primary key, body text not null, tag citext);\n',
      down: 'drop table note;\n',
    })
  }
  workspace.env['DROVER_ADMIN_URL'] = server
  return {
    ...workspace,
    server,
    urlOf,
    roleOf,
    passwordOf,
    [Symbol.asyncDispose]: async () => {
      await workspace[Symbol.asyncDispose]()
      for (const database of ['alpha', 'beta'] as const)
        for (const who of ['owner', 'app', 'readonly'] as const)
          await query(server, `drop role if exists ${roleOf(database, who)}`)
    },
  }
}
