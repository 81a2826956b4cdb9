import { quoteIdentifier, quoteLiteral, storeSchema } from '@drover/engine'

import { type RoleKind, roleKinds, type WantedAccess } from './declare.ts'
import { type DatabaseFacts, qualify, type SchemaFacts, type ServerFacts } from './read.ts'

/** One thing to be done on a server or in a database. */
export interface AccessStep {
  /** `server`: from any database, in one transaction; `alone`: likewise, but outside one; `database`: in the wanted database. */
  readonly where: 'server' | 'alone' | 'database'
  readonly sql: string
  /** In a script: the condition under which it is to be run; always where it is missing. */
  readonly when?: string
  /** The kind of the role that it makes, if it makes one. */
  readonly makes?: RoleKind
}

/** A role that is to get the password that is known for it. No SQL yet, so that no script and no output can hold it. */
export interface PasswordStep {
  readonly where: 'password'
  readonly role: string
  readonly kind: RoleKind
}

/**
 * The steps that lead a server to the wanted roles and the wanted database. None where there is nothing to do.
 * @param passwords the kinds whose password is known and not yet that of the role
 */
export function planServer(
  wanted: WantedAccess,
  facts: ServerFacts,
  passwords: ReadonlySet<RoleKind>,
): readonly (AccessStep | PasswordStep)[] {
  const { owner } = wanted.roles
  return [
    ...roleKinds.flatMap((kind) => planRole(wanted, kind, facts)),
    ...roleKinds
      .filter((kind) => passwords.has(kind))
      .map((kind) => ({ where: 'password' as const, role: wanted.roles[kind], kind })),
    // Needed to create a database for the owner, and to grant what is the owner's.
    ...(facts.superuser || facts.roles.get(owner)?.held === true
      ? []
      : [onServer(`grant ${quoteIdentifier(owner)} to current_user`, notHeld(owner))]),
    ...planDatabaseRow(wanted, facts),
  ]
}

function planRole({ roles, makesRoles }: WantedAccess, kind: RoleKind, facts: ServerFacts): readonly AccessStep[] {
  const name = roles[kind]
  // Before PostgreSQL 16 it would have power over the roles of all other databases.
  const isMaker = kind === 'owner' && makesRoles === true && facts.isRoleMakerBound === true
  const found = facts.roles.get(name)
  if (!found) {
    const missing = `not exists (select from pg_roles where rolname = ${quoteLiteral(name)})`
    return [
      {
        ...onServer(`create role ${quoteIdentifier(name)} login${isMaker ? ' createrole' : ''}`, missing),
        makes: kind,
      },
    ]
  }
  const changes = [
    ...(found.login ? [] : ['login']),
    ...(isMaker && !found.attributes.some((one) => /^(?:superuser|createrole)$/.test(one)) ? ['createrole'] : []),
    // An owner may have been chosen for what else it is allowed to do. Only what there is, because some of them a superuser alone may
    // so much as name.
    ...(kind === 'owner' ? [] : found.attributes.map((attribute) => `no${attribute}`)),
  ]
  return changes.length === 0 ? [] : [onServer(`alter role ${quoteIdentifier(name)} ${changes.join(' ')}`)]
}

function planDatabaseRow({ database, roles, strangers }: WantedAccess, facts: ServerFacts): readonly AccessStep[] {
  const [name, owner] = [quoteIdentifier(database), quoteIdentifier(roles.owner)]
  const found = facts.database
  const has = (role: string, privilege: string) =>
    found?.grantees.some((grant) => grant.role === role && grant.privilege === privilege) === true
  const steps: AccessStep[] = []
  if (!found) {
    const missing = `not exists (select from pg_database where datname = ${quoteLiteral(database)})`
    steps.push({ where: 'alone', sql: `create database ${name} owner ${owner}`, when: missing })
  } else if (found.owner !== roles.owner) steps.push(onServer(`alter database ${name} owner to ${owner}`))
  // Of a new database, PUBLIC has both.
  if (!found || has('', 'CONNECT') || has('', 'TEMPORARY'))
    steps.push(onServer(`revoke connect, temporary on database ${name} from public`))
  for (const role of strangers)
    if (found?.grantees.some((grant) => grant.role === role))
      steps.push(onServer(`revoke all on database ${name} from ${quoteIdentifier(role)}`))
  for (const role of [roles.app, roles.readonly])
    if (!has(role, 'CONNECT')) steps.push(onServer(`grant connect on database ${name} to ${quoteIdentifier(role)}`))
  return steps
}

/** The steps that lead what is in a database to what is wanted. None where there is nothing to do. */
export function planDatabase(wanted: WantedAccess, facts: DatabaseFacts): readonly AccessStep[] {
  const owner = quoteIdentifier(wanted.roles.owner)
  const missing = wanted.extensions.filter((extension) => !facts.extensions.includes(extension))
  const readers = facts.storeReaders.map((role) => (role === '' ? 'public' : quoteIdentifier(role))).join(', ')
  return [
    ...facts.misplaced.map((thing) => inDatabase(`alter ${thing} owner to ${owner}`)),
    ...facts.schemas.flatMap((schema) => planSchema(wanted, schema)),
    ...missing.map((extension) =>
      inDatabase(`create extension if not exists ${quoteIdentifier(extension)} schema public`),
    ),
    ...(readers === ''
      ? []
      : [
          inDatabase(`revoke all on schema ${storeSchema} from ${readers} cascade`),
          inDatabase(`revoke all on all tables in schema ${storeSchema} from ${readers} cascade`),
        ]),
  ]
}

function planSchema({ roles }: WantedAccess, facts: SchemaFacts): readonly AccessStep[] {
  const schema = quoteIdentifier(facts.name)
  const steps: AccessStep[] = []
  if (facts.privileges.has(' CREATE')) steps.push(inDatabase(`revoke create on schema ${schema} from public`))
  for (const [role, privileges] of [
    [roles.owner, ['USAGE', 'CREATE']],
    [roles.app, ['USAGE']],
    [roles.readonly, ['USAGE']],
  ] as const) {
    // A schema's owner has both by owning it, and its ACL says so.
    if (privileges.every((privilege) => facts.privileges.has(`${role} ${privilege}`))) continue
    steps.push(
      inDatabase(`grant ${privileges.join(', ').toLowerCase()} on schema ${schema} to ${quoteIdentifier(role)}`),
    )
  }
  return [...steps, ...grantsOf(roles).flatMap((grant) => planGrant(roles.owner, facts, grant))]
}

interface Grant {
  readonly role: string
  readonly things: 'tables' | 'sequences'
  readonly privileges: readonly string[]
}

function grantsOf({ app, readonly }: WantedAccess['roles']): readonly Grant[] {
  return [
    { role: app, things: 'tables', privileges: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
    { role: app, things: 'sequences', privileges: ['USAGE', 'SELECT'] },
    { role: readonly, things: 'tables', privileges: ['SELECT'] },
    { role: readonly, things: 'sequences', privileges: ['SELECT'] },
  ]
}

/**
 * Tables to come get their privileges by default; those that are there get them when the defaults are made. From then on,
 * what a revision takes away from a table stays away: only a table on which nobody has ever had anything is granted again.
 */
function planGrant(owner: string, facts: SchemaFacts, { role, things, privileges }: Grant): readonly AccessStep[] {
  const letter = things === 'tables' ? 'r' : 'S'
  const schema = quoteIdentifier(facts.name)
  const [words, to] = [privileges.join(', ').toLowerCase(), quoteIdentifier(role)]
  const isDefault = privileges.every((privilege) => facts.defaults.has(`${role} ${letter} ${privilege}`))
  const relations = facts.relations
    .filter(({ isSequence, isBare }) => isSequence === (things === 'sequences') && (isBare || !isDefault))
    .map(({ name }) => qualify(facts.name, name))
  const kind = things === 'tables' ? 'table' : 'sequence'
  return [
    ...(relations.length === 0 ? [] : [inDatabase(`grant ${words} on ${kind} ${relations.join(', ')} to ${to}`)]),
    ...(isDefault
      ? []
      : [
          inDatabase(
            `alter default privileges for role ${quoteIdentifier(owner)} in schema ${schema} grant ${words} on ${things} to ${to}`,
          ),
        ]),
  ]
}

/** A step as people read it in a list; it never holds a password. */
export function describeStep(step: AccessStep | PasswordStep): string {
  return step.where === 'password' ? `set the password of ${step.role}` : step.sql
}

/** The condition under which the user of a script has not got the privileges of a role. */
function notHeld(role: string): string {
  return `not pg_has_role(current_user, ${quoteLiteral(role)}, 'usage')`
}

function onServer(sql: string, when?: string): AccessStep {
  return { where: 'server', sql, ...(when !== undefined && { when }) }
}

function inDatabase(sql: string): AccessStep {
  return { where: 'database', sql }
}
