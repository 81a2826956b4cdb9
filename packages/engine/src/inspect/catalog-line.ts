/** What a line of a catalogue says: which object it is about, which part of it, and what there is to say. */
export interface CatalogLine {
  /** `table app.users` */
  readonly object: string
  /** `column code`; empty for the object itself. */
  readonly part: string
  /** Without the place of a column. */
  readonly detail: string
}

/** Takes a line of `readCatalog` apart. One of a definition in several lines comes without its number. */
export function readLine(line: string): CatalogLine {
  const groups = linePattern.exec(line)?.groups
  if (!groups) throw new Error(`not a line of a catalogue: ${line}`)
  const { object = '', part = '', detail = '' } = groups
  return { object, part, detail: columnPattern.test(part) ? detail.replace(/^#\d+ /, '') : detail }
}

/**
 * The lines of a catalogue without the places of columns. PostgreSQL puts a column that is dropped and added again at the
 * end, and no statement moves it back.
 */
export function withoutPlaces(lines: readonly string[]): readonly string[] {
  return lines.map((line) => {
    if (!line.includes(' column ')) return line
    const whole = linePattern.exec(line)?.groups?.['detail'] ?? ''
    return line.slice(0, line.length - whole.length) + readLine(line).detail
  })
}

/**
 * Catalogues without what servers of two versions write in different ways though it is the same. Since PostgreSQL 18, NOT NULL has a
 * constraint; the column says it in every version.
 */
export function acrossVersions(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !notNullPattern.test(line))
}

/** The objects that the lines of a catalogue are about: `table app.users`. */
export function objectsOf(lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.map((line) => readLine(line).object))
}

/** Takes `table app.users` apart: its kind, its schema if it is in one, and its whole name, each quoted where SQL wants it so. */
export function splitObject(object: string): {
  readonly kind: string
  readonly schema: string | undefined
  readonly name: string
} {
  const { kind = '', name = '' } = objectPattern.exec(object)?.groups ?? {}
  return { kind, name, schema: schemaPattern.exec(name)?.[1] }
}

const quoted = String.raw`"(?:[^"]|"")*"`
const identifier = String.raw`(?:${quoted}|[^\s"():])+`
const list = String.raw`\((?:${quoted}|[^"()]|\([^()]*\))*\)`
const kinds = [
  'aggregate',
  'cast',
  'collation',
  'composite type',
  'conversion',
  'domain',
  'enum',
  'event trigger',
  'extension',
  'foreign-data wrapper',
  'foreign table',
  'function',
  'language',
  'materialized view',
  'operator class',
  'operator family',
  'operator',
  'procedure',
  'publication',
  'range',
  'schema',
  'sequence',
  'server',
  'statistics',
  'table',
  'text search configuration',
  'text search dictionary',
  'type',
  'view',
].join('|')

/** A quoted name may hold anything, so a line is read from its left, word by word. */
const linePattern = new RegExp(
  [
    '^(?<object>',
    `default privileges for role ${identifier}(?: in schema ${identifier})? on (?:large objects|[a-z]+)`,
    `|(?:${kinds}) (?:${identifier})?(?:${list})?(?: USING ${identifier})?`,
    ')(?: (?<part>',
    `(?:column|constraint|index|policy|rule|trigger) ${identifier}(?: (?:comment|privileges))?`,
    '|comment|definition|parameters|privileges',
    String.raw`))?(?: \d{4,})?: (?<detail>.*)$`,
  ].join(''),
  's',
)
const objectPattern = new RegExp(`^(?<kind>default privileges|${kinds}) (?<name>.*)$`, 's')
const schemaPattern = new RegExp(String.raw`^((?:${quoted}|[^\s".(])+)\.`)
const columnPattern = new RegExp(`^column ${identifier}$`)
const notNullPattern = / constraint .*: NOT NULL (?:"(?:[^"]|"")*"|[^\s"]+)$/
