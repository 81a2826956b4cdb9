import { quoteIdentifier, quoteLiteral, storeSchema } from '@drover/engine'

import { roleKinds, type WantedAccess } from './declare.ts'
import { type AccessStep, planDatabase, planServer } from './plan.ts'
import { emptyDatabase, type ServerFacts } from './read.ts'

/** Before anything is there, for a script that is written without having looked. */
const emptyServer: ServerFacts = { superuser: false, roles: new Map() }

/** For each connection: the encoding of this text, names are PostgreSQL's own, and what is there already is no news. */
const session = [
  `set client_encoding = 'UTF8';`,
  'set search_path = pg_catalog, pg_temp;',
  'set client_min_messages = warning;',
]

/**
 * A script for psql that does what `provision` does, for a database administrator. It may be run again. Passwords are no part
 * of it: they come in as variables of psql, or are set afterwards.
 */
export function writeProvisioningScript(wanted: WantedAccess): string {
  const { database, roles, strangers } = wanted
  const server = planServer(wanted, emptyServer, new Set()).filter((step) => step.where !== 'password')
  const tables = `select from pg_default_acl where defaclrole = to_regrole(${quoteLiteral(quoteIdentifier(roles.owner))})`
  const hasStore = `to_regnamespace('${storeSchema}') is not null`
  return [
    `-- The database ${oneLine(database)}, its roles and grants. Run it with psql as an administrator, as often as you like:`,
    `--   psql -X -v ON_ERROR_STOP=1 -v ${variableOf(roles.app)}=… -f <this file>`,
    '-- A variable that is not given leaves the password of its role as it is.',
    '\\set QUIET on',
    ...session,
    ...server.map(line),
    // What a database that was there before may have.
    `alter database ${quoteIdentifier(database)} owner to ${quoteIdentifier(roles.owner)};`,
    ...strangers.map((role) =>
      line({
        where: 'server',
        sql: `revoke all on database ${quoteIdentifier(database)} from ${quoteIdentifier(role)}`,
        when: `to_regrole(${quoteLiteral(quoteIdentifier(role))}) is not null`,
      }),
    ),
    ...roleKinds.flatMap((kind) => passwordLines(roles[kind])),
    connect(database),
    ...session,
    'revoke create on schema public from public;',
    // Later on, a revision may have taken away from a table what all of them had at first.
    ...[
      [roles.app, 'select, insert, update, delete', 'tables'],
      [roles.app, 'usage, select', 'sequences'],
      [roles.readonly, 'select', 'tables'],
      [roles.readonly, 'select', 'sequences'],
    ].map(([role, words, things]) =>
      line({
        where: 'database',
        sql: `grant ${words} on all ${things} in schema public to ${quoteIdentifier(role!)}`,
        when: `not exists (${tables})`,
      }),
    ),
    ...planDatabase(wanted, emptyDatabase).map(line),
    line({ where: 'database', sql: `revoke all on schema ${storeSchema} from public`, when: hasStore }),
    '',
  ].join('\n')
}

/** The variable of psql that holds the password of a role. */
function variableOf(role: string): string {
  return `${role.replaceAll(/\W/g, '_')}_password`
}

/**
 * A name alone would be taken for a place to connect to where it looks like one, such as `host=…`. The command wants its argument
 * quoted like an identifier, which in turn cannot hold a line break unless it is quoted like a text.
 */
function connect(database: string): string {
  const place = `dbname='${database.replaceAll(/[\\']/g, String.raw`\$&`)}'`
  return `\\connect -reuse-previous=on ${quoteArgument(`"${place.replaceAll('"', '""')}"`)}`
}

/** A text as an argument of a command of psql, which ends with its line, and runs what stands in backquotes. */
function quoteArgument(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "''")
  return `'${escaped.replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`)}'`
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}

function passwordLines(role: string): readonly string[] {
  const variable = variableOf(role)
  return [
    `\\if :{?${variable}}`,
    `alter role ${quoteIdentifier(role)} password :'${variable}';`,
    '\\else',
    `\\echo ${quoteArgument(`the password of ${role} stays as it is; set it with -v ${variable}=… or: \\password ${role}`)}`,
    '\\endif',
  ]
}

/** psql runs what a query returns, which is how a statement gets a condition outside a transaction. */
function line({ sql, when }: AccessStep): string {
  return when === undefined ? `${sql};` : `select ${quoteLiteral(sql)} where ${when} \\gexec`
}
