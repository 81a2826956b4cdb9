import { describe, expect, inject, it } from 'vitest'

import type { Connection } from '../connect/connection.ts'
import { exampleDatabase } from '../connect/example-database.ts'
import { buildIn } from './example-schemas.ts'
import { findForeignConnects, findForeignPrivileges } from './foreign-privileges.ts'

const objects = `
create table items (id int, code text);
create view seen as select 1 as one;
create sequence counter;
create function f() returns int language sql as 'select 1';
create type mood as enum ('ok');`

describe('findForeignPrivileges', () => {
  it('finds who was granted something, on every kind of object', async () => {
    await using setup = await setUp()
    const { connection, guest } = setup
    await buildIn(
      connection,
      'tenant_a',
      `${objects}
grant usage on schema tenant_a to ${guest};
grant select, insert on items to ${guest};
grant update (code) on items to ${guest};
grant select on seen to public;
grant usage on counter to ${guest};
grant execute on function f() to ${guest};
grant usage on type mood to ${guest};
alter default privileges in schema tenant_a grant select on tables to ${guest};
alter default privileges in schema tenant_a grant usage on sequences to public`,
    )

    const found = await findForeignPrivileges(connection, [{ schema: 'tenant_a' }], [])

    const grantee = unquote(guest)
    const privilege = { kind: 'privilege', schema: 'tenant_a', grantee }
    expect(found).toEqual([
      { ...privilege, object: 'function tenant_a.f()', privileges: ['EXECUTE'] },
      { ...privilege, object: 'schema tenant_a', privileges: ['USAGE'] },
      { ...privilege, object: 'sequence tenant_a.counter', privileges: ['USAGE'] },
      { ...privilege, object: 'table column tenant_a.items.code', privileges: ['UPDATE'] },
      { ...privilege, object: 'table tenant_a.items', privileges: ['INSERT', 'SELECT'] },
      { ...privilege, object: 'type tenant_a.mood', privileges: ['USAGE'] },
      { ...privilege, object: 'view tenant_a.seen', grantee: 'public', privileges: ['SELECT'] },
      {
        ...privilege,
        kind: 'default privilege',
        object: 'sequences',
        grantee: 'public',
        maker: connection.url.user,
        privileges: ['USAGE'],
      },
      { ...privilege, kind: 'default privilege', object: 'tables', maker: connection.url.user, privileges: ['SELECT'] },
    ])
  })

  it('knows the roles that may: the owner, the own role in its own schema, and those that are allowed', async () => {
    await using setup = await setUp()
    const { connection, guest, own, owner } = setup
    for (const name of ['tenant_a', 'tenant_a1']) {
      await buildIn(
        connection,
        name,
        `${objects} grant usage on schema current_schema to ${own}, ${guest}; grant select on items to ${own}, ${guest};
alter schema current_schema owner to ${owner}; alter table items owner to ${owner}`,
      )
    }

    const schemas = [{ schema: 'tenant_a', role: unquote(own) }, { schema: 'tenant_a1' }]
    const found = await findForeignPrivileges(connection, schemas, [unquote(guest)])

    const stranger = { kind: 'privilege', schema: 'tenant_a1', grantee: unquote(own) }
    expect(found).toEqual([
      { ...stranger, object: 'schema tenant_a1', privileges: ['USAGE'] },
      { ...stranger, object: 'table tenant_a1.items', privileges: ['SELECT'] },
    ])
  })

  it('allows everybody something only when everybody is allowed', async () => {
    await using setup = await setUp()
    const { connection } = setup
    await buildIn(connection, 'tenant_a', `${objects} grant select on items to public`)

    expect(await findForeignPrivileges(connection, [{ schema: 'tenant_a' }], [])).toMatchObject([
      { object: 'table tenant_a.items', grantee: 'public' },
    ])
    expect(await findForeignPrivileges(connection, [{ schema: 'tenant_a' }], ['public'])).toEqual([])
  })

  it('finds an object that belongs to somebody else', async () => {
    await using setup = await setUp()
    const { connection, guest } = setup
    await buildIn(connection, 'tenant_a', `${objects} alter view seen owner to ${guest}`)

    expect(await findForeignPrivileges(connection, [{ schema: 'tenant_a' }], [])).toEqual([
      {
        kind: 'privilege',
        schema: 'tenant_a',
        object: 'view tenant_a.seen',
        grantee: unquote(guest),
        privileges: expect.arrayContaining(['DELETE', 'INSERT', 'SELECT', 'UPDATE']) as string[],
      },
    ])
  })

  it('finds who may act as the own role of a schema', async () => {
    await using setup = await setUp()
    const { connection, guest, own, owner } = setup
    await connection.send(`create schema tenant_a authorization ${owner}; grant ${own} to ${guest}, ${owner}`)
    const schemas = [{ schema: 'tenant_a', role: unquote(own) }]

    expect(await findForeignPrivileges(connection, schemas, [])).toEqual([
      { kind: 'member', schema: 'tenant_a', role: unquote(own), member: unquote(guest) },
    ])
    expect(await findForeignPrivileges(connection, schemas, [unquote(guest)])).toEqual([])
  })

  it('finds nothing where there is nobody, and nothing', async () => {
    await using setup = await setUp()
    const { connection } = setup
    await buildIn(connection, 'tenant_"a"-b', objects)

    expect(
      await findForeignPrivileges(connection, [{ schema: 'tenant_"a"-b', role: 'no such role' }], ['nor this']),
    ).toEqual([])
    expect(await findForeignPrivileges(connection, [{ schema: 'nowhere' }], [])).toEqual([])
    expect(await findForeignPrivileges(connection, [], [])).toEqual([])
  })
})

describe('findForeignConnects', () => {
  it('finds who may connect, be it everybody, and who may act as the own role', async () => {
    await using setup = await setUp()
    const { connection, guest, own, owner } = setup
    const schema = connection.url.database
    const found = (allowed: readonly string[] = []) =>
      findForeignConnects(connection, [{ schema, role: unquote(own) }, { schema: 'nowhere' }], allowed)
    const privilege = { kind: 'privilege', schema, object: `database ${schema}` }

    expect(await found()).toEqual([{ ...privilege, grantee: 'public', privileges: ['CONNECT', 'TEMPORARY'] }])
    expect(await found(['public'])).toEqual([])

    await connection.send(`revoke all on database "${schema}" from public;
grant connect on database "${schema}" to ${guest}, ${own}, ${owner}; grant ${own} to ${guest}`)
    expect(await found([unquote(owner)])).toEqual([
      { ...privilege, grantee: unquote(guest), privileges: ['CONNECT'] },
      { kind: 'member', schema, role: unquote(own), member: unquote(guest) },
    ])
    expect(await found([unquote(owner), unquote(guest)])).toEqual([])
    expect(await findForeignConnects(connection, [], [])).toEqual([])
  })
})

/** A database, and roles of its own in quotes, which go with it. */
async function setUp() {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await exampleDatabase(inject('serverUrl')))
  const connection: Connection = database.connect()
  const [guest, own, owner] = ['guest', 'own', 'owner'].map((name) => `"${database.url.database}-${name}"`) as [
    string,
    string,
    string,
  ]
  for (const role of [guest, own, owner]) {
    await connection.send(`create role ${role}`)
    opened.defer(async () => {
      await connection.send(`drop owned by ${role} cascade; drop role ${role}`)
    })
  }
  const owned = opened.move()
  return { connection, guest, own, owner, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function unquote(role: string): string {
  return role.slice(1, -1)
}
