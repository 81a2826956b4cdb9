/** The TypeScript of a schema, with all that it may import. */
export function schemaSource(body: string): string {
  return `import { sql, eq, gt } from 'drizzle-orm'
import { ${imports.join(', ')} } from 'drizzle-orm/pg-core'

${body}
`
}

const imports = [
  'bigint',
  'bigserial',
  'bit',
  'boolean',
  'char',
  'check',
  'cidr',
  'customType',
  'date',
  'doublePrecision',
  'foreignKey',
  'index',
  'inet',
  'integer',
  'interval',
  'json',
  'jsonb',
  'line',
  'macaddr',
  'numeric',
  'pgEnum',
  'pgMaterializedView',
  'pgPolicy',
  'pgRole',
  'pgSchema',
  'pgSequence',
  'pgTable',
  'pgView',
  'point',
  'primaryKey',
  'real',
  'serial',
  'smallint',
  'text',
  'time',
  'timestamp',
  'unique',
  'uniqueIndex',
  'uuid',
  'varchar',
]
