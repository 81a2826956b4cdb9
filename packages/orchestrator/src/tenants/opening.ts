import type { TenantsConfig } from '@drover/config'
import { quoteIdentifier, quoteLiteral } from '@drover/engine'

import { type NamedTenant, roleOf } from './name-tenant.ts'

/**
 * The statements that make the schema of a tenant, and say who may use it and all that will be made in it. They may be repeated. Roles
 * of applications that are not there yet are passed over: `init` makes them, and a role that nobody has made yet can do nothing.
 */
export function writeOpening(config: TenantsConfig, { slug, target }: NamedTenant): string {
  const schema = quoteIdentifier(target)
  return `create schema if not exists ${schema};
${letIn(config, slug, `grant usage on schema ${schema}`, schema)}`
}

/**
 * The statements that close the database of a tenant to everybody but its owner, and let in who may use it and what will be made in its
 * schema `public`. They may be repeated.
 */
export function writeDatabaseOpening(config: TenantsConfig, { slug, target }: NamedTenant): string {
  const database = quoteIdentifier(target)
  return `revoke connect, temporary on database ${database} from public;
${letIn(config, slug, `grant connect on database ${database}`, 'public')}`
}

/** @param enter the beginning of a statement that grants what the others are of no use without */
function letIn(config: TenantsConfig, slug: string, enter: string, schema: string): string {
  const own = roleOf(config, slug)
  return [
    ...(own === undefined ? [] : [createRole(own, config.app)]),
    ...config.app.map((role) => grantTo(role, enter, schema, 'write')),
    ...config.readonly.map((role) => grantTo(role, enter, schema, 'read')),
    ...(own === undefined ? [] : [grantTo(own, enter, schema, 'write')]),
  ].join('')
}

/** A role that nobody logs in as: applications take it on, to see nothing but the one tenant. */
function createRole(role: string, applications: readonly string[]): string {
  const grants = applications.map(
    (
      application,
    ) => `  if exists (select from pg_catalog.pg_roles where rolname operator(pg_catalog.=) ${quoteLiteral(application)}) then
    grant ${quoteIdentifier(role)} to ${quoteIdentifier(application)};
  end if;
`,
  )
  return `do $drover$
begin
  if not exists (select from pg_catalog.pg_roles where rolname operator(pg_catalog.=) ${quoteLiteral(role)}) then
    create role ${quoteIdentifier(role)} nologin noinherit;
  end if;
${grants.join('')}end
$drover$;
`
}

function grantTo(role: string, enter: string, schema: string, kind: 'read' | 'write'): string {
  const grantee = quoteIdentifier(role)
  const [tables, sequences] =
    kind === 'write' ? ['select, insert, update, delete', 'usage, select'] : ['select', 'select']
  return `do $drover$
begin
  if exists (select from pg_catalog.pg_roles where rolname operator(pg_catalog.=) ${quoteLiteral(role)}) then
    ${enter} to ${grantee};
    alter default privileges in schema ${schema} grant ${tables} on tables to ${grantee};
    alter default privileges in schema ${schema} grant ${sequences} on sequences to ${grantee};
  end if;
end
$drover$;
`
}
