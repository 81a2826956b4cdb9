import { describe, expect, test } from 'vitest'

import { exampleAccess } from './example-access.ts'
import { describeStep, planDatabase, planServer } from './plan.ts'
import { type DatabaseFacts, emptyDatabase, type RoleFacts, type ServerFacts } from './read.ts'

const wanted = exampleAccess()
const role: RoleFacts = { login: true, attributes: [], held: true }

/** A server that has all that is wanted. */
const server: ServerFacts = {
  superuser: true,
  roles: new Map(Object.values(wanted.roles).map((name) => [name, role])),
  database: {
    owner: 'main_owner',
    grantees: [
      { role: 'main_app', privilege: 'CONNECT' },
      { role: 'main_readonly', privilege: 'CONNECT' },
    ],
  },
}

const changed = (facts: Partial<ServerFacts>) =>
  planServer(wanted, { ...server, ...facts }, new Set()).map((step) => describeStep(step))

const steps = (facts: DatabaseFacts) => planDatabase(wanted, facts).map((step) => describeStep(step))

describe('on a server', () => {
  test('that has everything there is nothing to do', () => {
    expect(changed({})).toEqual([])
  })

  test('a known password that is not that of its role is the only thing left to set', () => {
    expect(planServer(wanted, server, new Set(['app']))).toEqual([{ where: 'password', role: 'main_app', kind: 'app' }])
  })

  test('a role that may do too much is cut back, and an owner is left as it is', () => {
    const elevated = { ...role, attributes: ['superuser', 'createdb'] }
    expect(changed({ roles: new Map([...server.roles, ['main_app', elevated], ['main_owner', elevated]]) })).toEqual([
      'alter role "main_app" nosuperuser nocreatedb',
    ])
  })

  test('an owner that makes the roles of tenants is let, where that gives it no power over the roles of others', () => {
    const maker = { ...wanted, makesRoles: true }
    const plan = (facts: Partial<ServerFacts>) =>
      planServer(maker, { ...server, ...facts }, new Set()).map((step) => describeStep(step))
    const mighty = new Map([...server.roles, ['main_owner', { ...role, attributes: ['superuser'] }]])

    expect(plan({ isRoleMakerBound: true })).toEqual(['alter role "main_owner" createrole'])
    expect(plan({ isRoleMakerBound: true, roles: new Map() })[0]).toBe('create role "main_owner" login createrole')
    expect(plan({ isRoleMakerBound: true, roles: mighty })).toEqual([])
    expect(plan({ isRoleMakerBound: false })).toEqual([])
    expect(changed({ isRoleMakerBound: true })).toEqual([])
  })

  test('a role that cannot log in is let log in', () => {
    expect(changed({ roles: new Map([...server.roles, ['main_owner', { ...role, login: false }]]) })).toEqual([
      'alter role "main_owner" login',
    ])
  })

  test('PUBLIC and the roles of other databases lose the database, whoever else was let in does not', () => {
    const grantees = [
      ...server.database!.grantees,
      { role: '', privilege: 'TEMPORARY' },
      { role: 'credentials_app', privilege: 'CONNECT' },
      { role: 'monitor', privilege: 'CONNECT' },
    ]
    expect(changed({ database: { owner: 'main_owner', grantees } })).toEqual([
      'revoke connect, temporary on database "main" from public',
      'revoke all on database "main" from "credentials_app"',
    ])
  })

  test('an administrator who is no superuser takes on the owner before it creates a database for it', () => {
    const taken = planServer(wanted, { superuser: false, roles: new Map() }, new Set()).map((step) =>
      describeStep(step),
    )
    const [grant, create] = ['grant "main_owner" to current_user', 'create database "main" owner "main_owner"']
    expect(taken).toEqual(expect.arrayContaining([grant, create]))
    expect(taken.indexOf(grant)).toBeLessThan(taken.indexOf(create))
  })
})

describe('in a database', () => {
  const complete: DatabaseFacts = {
    ...emptyDatabase,
    schemas: [
      {
        name: 'public',
        privileges: new Set(['main_owner USAGE', 'main_owner CREATE', 'main_app USAGE', 'main_readonly USAGE']),
        defaults: new Set([
          ...['SELECT', 'INSERT', 'UPDATE', 'DELETE'].map((privilege) => `main_app r ${privilege}`),
          ...['USAGE', 'SELECT'].map((privilege) => `main_app S ${privilege}`),
          'main_readonly r SELECT',
          'main_readonly S SELECT',
        ]),
        relations: [{ name: 'users', isSequence: false, isBare: false }],
      },
    ],
  }

  test('that has everything there is nothing to do', () => {
    expect(steps(complete)).toEqual([])
  })

  test('tables that are there are granted together with those to come', () => {
    const [schema] = complete.schemas
    expect(steps({ ...complete, schemas: [{ ...schema!, defaults: new Set() }] })).toContain(
      'grant select, insert, update, delete on table "public"."users" to "main_app"',
    )
  })

  test('later, only a table on which nobody has ever had anything is granted', () => {
    const [schema] = complete.schemas
    const relations = [...schema!.relations, { name: 'new"', isSequence: false, isBare: true }]
    expect(steps({ ...complete, schemas: [{ ...schema!, relations }] })).toEqual([
      'grant select, insert, update, delete on table "public"."new""" to "main_app"',
      'grant select on table "public"."new""" to "main_readonly"',
    ])
  })

  test("whoever reads Drover's tables loses them, be it everybody", () => {
    expect(steps({ ...complete, storeReaders: ['', 'main_app'] })).toEqual([
      'revoke all on schema drover from public, "main_app" cascade',
      'revoke all on all tables in schema drover from public, "main_app" cascade',
    ])
  })

  test('what belongs to whoever looks is given to the owner', () => {
    expect(steps({ ...complete, misplaced: ['table public.users'] })).toEqual([
      'alter table public.users owner to "main_owner"',
    ])
  })
})
