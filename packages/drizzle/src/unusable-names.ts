import type { Problem } from '@drover/history'

import type { SchemaEntity, SchemaState } from './kit/state.ts'

/** How many bytes of a name PostgreSQL keeps (NAMEDATALEN - 1); it cuts off the rest, and says so in a NOTICE only. */
const longestName = 63

/**
 * What a Drizzle schema declares that cannot be migrated: names that PostgreSQL would cut, or that drizzle-kit does not quote,
 * and roles, which belong to a server and not to one of its databases. What was there before is not found again.
 * @param file the schema, as messages name it
 */
export function findUnusable(before: SchemaState, after: SchemaState, file: string): readonly Problem[] {
  const known = new Set(before.ddl.map(describeEntity))
  return after.ddl.flatMap((entity): readonly Problem[] => {
    if (known.has(describeEntity(entity))) return []
    if (entity.entityType === 'roles') return [roleProblem(entity, file)]
    const bytes = Buffer.byteLength(entity.name)
    const what = describeEntity(entity)
    if (bytes > longestName) {
      const message = `${file}: ${what} has a name of ${bytes} bytes: PostgreSQL keeps ${longestName} of them, and would know it by another name`
      return [{ code: 'NAME_UNUSABLE', file, message, hint: adviceFor(entity) }]
    }
    if (!entity.name.includes('"')) return []
    const message = `${file}: ${what} has a double quote in its name, which drizzle-kit does not escape`
    return [{ code: 'NAME_UNUSABLE', file, message, hint: 'give it a name without double quotes' }]
  })
}

/** An entity as people call it: `column "email" of table "users"`. */
export function describeEntity({ entityType, name, schema, table }: SchemaEntity): string {
  const kind = kinds[entityType] ?? entityType
  const qualified = (text: string) =>
    schema === undefined || schema === 'public' ? `"${text}"` : `"${schema}"."${text}"`
  return table === undefined ? `${kind} ${qualified(name)}` : `${kind} "${name}" of table ${qualified(table)}`
}

const kinds: Readonly<Record<string, string>> = {
  schemas: 'schema',
  tables: 'table',
  enums: 'enum',
  columns: 'column',
  indexes: 'index',
  fks: 'foreign key',
  pks: 'primary key',
  uniques: 'unique constraint',
  checks: 'check',
  sequences: 'sequence',
  roles: 'role',
  privileges: 'privilege',
  policies: 'policy',
  views: 'view',
}

function adviceFor({ entityType }: SchemaEntity): string {
  const ways: Readonly<Record<string, string>> = {
    fks: "name it yourself: foreignKey({ name: '…', columns: […], foreignColumns: […] })",
    pks: "name it yourself: primaryKey({ name: '…', columns: […] })",
    uniques: "name it yourself: unique('…').on(…)",
    indexes: "name it yourself: index('…').on(…)",
  }
  return ways[entityType] ?? 'give it a shorter name'
}

function roleProblem({ name }: SchemaEntity, file: string): Problem {
  return {
    code: 'SCHEMA_INVALID',
    file,
    message: `${file}: role "${name}" is to be created by the schema, and roles belong to a server: other databases of it would see it too`,
    hint: `create it once on each server, and declare that it is there: pgRole('${name}').existing()`,
  }
}
