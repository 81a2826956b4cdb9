import { readTokens } from '../source/statements.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { type SchemaSnapshot, tenantSchema } from './snapshot-file.ts'

/** The snapshot of one tenant, whose schema is called so. */
export type SnapshotFor = (schema: string) => SchemaSnapshot

/**
 * Takes the snapshot of tenants apart once, to write it for any number of them. Where its schema is meant, it is replaced: in names,
 * and in strings that hold one (`'drover_tenant.seq'::regclass`). What is in dollar quotes is the history's own text, in which it does
 * not occur.
 */
export function snapshotTemplate(snapshot: SchemaSnapshot): SnapshotFor {
  const holes = findHoles(snapshot.sql)
  const before = (at: number) => holes.filter(({ start }) => start < at).length
  const statements = snapshot.statements.map((statement) => ({
    statement,
    holes: { start: before(statement.start), end: before(statement.end) },
  }))
  const pieces = [0, ...holes.map(({ start }) => start + tenantSchema.length)].map((start, at) =>
    snapshot.sql.slice(start, holes[at]?.start),
  )
  return (schema) => {
    const texts = textsOf(schema)
    const filled = holes.map(({ kind }) => texts[kind])
    const sql = pieces.map((piece, at) => `${piece}${filled[at] ?? ''}`).join('')
    // Of each hole, how much longer the text is behind it than it was.
    const shifts = [0]
    for (const text of filled) shifts.push(shifts.at(-1)! + text.length - tenantSchema.length)
    return {
      ...snapshot,
      sql,
      statements: statements.map(({ statement, holes: own }) => {
        const start = statement.start + shifts[own.start]!
        const length = statement.text.length + shifts[own.end]! - shifts[own.start]!
        return { ...statement, start, end: statement.end + shifts[own.end]!, text: sql.slice(start, start + length) }
      }),
    }
  }
}

/** A place where the schema is named: as code, in a string as code, or in a string as it is called. */
interface Hole {
  readonly start: number
  readonly kind: 'code' | 'code in a string' | 'text'
}

function textsOf(schema: string): Readonly<Record<Hole['kind'], string>> {
  const name = quoteIdentifier(schema)
  return { code: name, 'code in a string': name.replaceAll("'", "''"), text: schema.replaceAll("'", "''") }
}

function findHoles(sql: string): readonly Hole[] {
  const holes: Hole[] = []
  for (const { text, start, isWord } of readTokens(sql)) {
    if (isWord && text === tenantSchema) holes.push({ start, kind: 'code' })
    if (!/^[eE]?'/.test(text)) continue
    for (const match of text.matchAll(named)) {
      holes.push({ start: start + match.index, kind: match[1] === '.' ? 'code in a string' : 'text' })
    }
  }
  return holes
}

/** In a string, what is followed by a name is one as well. */
const named = new RegExp(`(?<![\\w$])${tenantSchema}(?![\\w$])(\\.(?=["a-z_]))?`, 'g')
