import { readCatalogLine, splitObject, withoutPlaces } from '@drover/engine'

import type { Rename } from './rename.ts'

/** How a catalogue changes: lines that go, and lines that come. */
export interface CatalogChange {
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/** Lines that should be there and are not, and lines that are there and should not be. */
export interface Deviation {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

/**
 * The lines of a catalogue that a change is told by: without the places of columns, and without the constraint that each NOT
 * NULL has since PostgreSQL 18, whose name keeps what the column was once called. The column says NOT NULL itself.
 */
export function comparableLines(lines: readonly string[]): readonly string[] {
  return withoutPlaces(lines).filter((line) => !/ constraint .*: NOT NULL (?:"(?:[^"]|"")*"|[^\s"]+)$/s.test(line))
}

/** What a change did, between two catalogues as `comparableLines` gives them. */
export function changeBetween(before: readonly string[], after: readonly string[]): CatalogChange {
  return { removed: without(before, after), added: without(after, before) }
}

/** What there is instead of what should be. */
export function deviationOf(expected: readonly string[], found: readonly string[]): Deviation {
  return { missing: without(expected, found), unexpected: without(found, expected) }
}

/**
 * Compares what a change did with what was wished. What stood in the database besides the schema does not count as long as
 * it stays, follows a rename, or goes with its table. Nor do names that the schema leaves to others (`users_pkey`,
 * `users_id_seq`): they stay when a table or column is renamed.
 */
export function compareChanges(wished: CatalogChange, found: CatalogChange, renames: readonly Rename[]): Deviation {
  const automatic = findAutomaticNames([...wished.removed, ...wished.added])
  const wishedKey = (line: string) => (automatic.has(line) ? withoutName(line) : undefined)
  const ownerGoes = goesWithTable(wished)

  const comes = without(found.added, wished.added)
  const goes = without(found.removed, wished.removed)
  // Under another name than the one that PostgreSQL would give it today.
  const [notAdded, alsoAdded] = cancel(without(wished.added, found.added), comes, wishedKey, withoutName)
  const [notRemoved, alsoRemoved] = cancel(without(wished.removed, found.removed), goes, wishedKey, withoutName)
  // Still there under its old name.
  const [stays, missing] = cancel(notRemoved, notAdded, wishedKey, wishedKey)
  const [lost, surplus] = cancel(alsoRemoved, alsoAdded, followRenames(renames), keyOfFollower)
  return { missing: [...missing, ...lost.filter((line) => !ownerGoes(line))], unexpected: [...surplus, ...stays] }
}

function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return lines.filter((line) => !known.has(line))
}

/** Takes out of two lists what pairs off. Lines without a key stay. */
function cancel(
  ones: readonly string[],
  others: readonly string[],
  keyOfOne: (line: string) => string | undefined,
  keyOfOther: (line: string) => string | undefined,
): readonly [readonly string[], readonly string[]] {
  const left = [...others]
  const alone = ones.filter((one) => {
    const key = keyOfOne(one)
    const at = key === undefined ? -1 : left.findIndex((other) => keyOfOther(other) === key)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return [alone, left]
}

/** Of the lines of a schema that is made from nothing, those with a name that it leaves to PostgreSQL or drizzle-kit. */
function findAutomaticNames(lines: readonly string[]): ReadonlySet<string> {
  const sequences = new Set(lines.flatMap((line) => ownedSequenceOf(line) ?? []))
  return new Set(
    lines.filter((line) => {
      const { object, part, detail } = readCatalogLine(line)
      const sequence = /nextval\('(.*)'::regclass\)/.exec(detail)?.[1]
      return (
        sequences.has(object) ||
        (part.startsWith('column ') && sequences.has(`sequence ${sequence}`)) ||
        isAutomaticKey(object, part, detail)
      )
    }),
  )
}

/** The sequence of a serial or identity column, when a line of its parameters says so and its name is of that column. */
function ownedSequenceOf(line: string): string | undefined {
  const { object, part, detail } = readCatalogLine(line)
  const owner = part === 'parameters' ? / owned by (.+)$/s.exec(detail)?.[1] : undefined
  if (owner === undefined) return undefined
  const [column = '', table = ''] = partsOf(owner).toReversed()
  return nameOf(object) === `${table}_${column}_seq` ? object : undefined
}

/** Whether a key or an index has the name that PostgreSQL or drizzle-kit gives it when nobody names it. */
function isAutomaticKey(object: string, part: string, detail: string): boolean {
  const [kind, quotedName = ''] = split(part, ' ')
  if (kind !== 'constraint' && kind !== 'index') return false
  const table = nameOf(object)
  const columns = columnsIn(detail)
  const [referenced = '', keys = ''] = /REFERENCES (.+?)(\(.*?\))/s.exec(detail)?.slice(1) ?? []
  return [
    `${table}_pkey`,
    `${table}_${columns}_key`,
    `${table}_${columns}_unique`,
    `${table}_${columns}_index`,
    `${table}_${columns}_fkey`,
    `${table}_${columns}_${partsOf(referenced).at(-1)}_${columnsIn(keys)}_fkey`,
  ].includes(partsOf(quotedName).join('.'))
}

/** A line without the name of the key, index or sequence that it is about or that it uses; `undefined` for other lines. */
function withoutName(line: string): string | undefined {
  const { object, part, detail } = readCatalogLine(line)
  const [kind, name = ''] = split(part, ' ')
  if (kind === 'constraint') {
    return /^(?:PRIMARY KEY|UNIQUE|FOREIGN KEY)/.test(detail) ? `${object} constraint: ${detail}` : undefined
  }
  if (kind === 'index') {
    return `${object} index: ${detail.replace(` ${name} ON `, ' ON ')}`
  }
  if (kind === 'column') {
    return `${object} ${part}: ${detail.replace(/nextval\('.*'::regclass\)/, 'nextval()')}`
  }
  const { kind: objectKind, schema } = splitObject(object)
  return objectKind === 'sequence' ? `sequence of ${schema} ${part}: ${detail}` : undefined
}

/** What hangs on a table or view that goes, goes along. */
function goesWithTable({ removed, added }: CatalogChange): (line: string) => boolean {
  const gone = new Set(without(objectsIn(removed), objectsIn(added)))
  return (line) => gone.has(readCatalogLine(line).object)
}

/** The objects that lines say to be there, rather than something about them. */
function objectsIn(lines: readonly string[]): readonly string[] {
  return lines.map(readCatalogLine).flatMap(({ object, part }) => (part === '' ? [object] : []))
}

/** Whether a line says that there is a table or a column: no rename is taken for done without it. */
function isStructure(line: string): boolean {
  const { object, part } = readCatalogLine(line)
  return /^(?:table|enum|schema) /.test(object) && (part === '' || /^column (?:"(?:[^"]|"")*"|\S+)$/.test(part))
}

/** What becomes of a line that is not about a table or column itself, when those it names are renamed. */
function followRenames(renames: readonly Rename[]): (line: string) => string | undefined {
  const columns = new Map<string, string>()
  const others = new Map<string, string>()
  for (const { from, to } of renames) {
    if (from.length === 3) columns.set(from[2]!, to[2]!)
    else others.set(from.join('.'), to.join('.'))
  }
  const replaceOthers = replaceNames(others)
  const replaceColumns = replaceNames(columns)
  return (line) => (isStructure(line) ? undefined : replaceColumns(replaceOthers(unquoted(line))))
}

function keyOfFollower(line: string): string | undefined {
  return isStructure(line) ? undefined : unquoted(line)
}

/** Replaces whole names, all at once, so that two that change places do not meet. */
function replaceNames(names: ReadonlyMap<string, string>): (text: string) => string {
  if (names.size === 0) return (text) => text
  const pattern = new RegExp(
    `(?<![\\w$])(?:${[...names.keys()].map((name) => RegExp.escape(name)).join('|')})(?![\\w$])`,
    'g',
  )
  return (text) => text.replaceAll(pattern, (name) => names.get(name) ?? name)
}

function unquoted(line: string): string {
  return line.replaceAll('"', '')
}

/** The name of an object, without its schema and without quotes. */
function nameOf(object: string): string {
  return partsOf(splitObject(object).name).at(-1) ?? ''
}

/** The parts of a qualified name, without quotes. */
function partsOf(name: string): readonly string[] {
  return Array.from(name.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g), ([, quoted, plain = '']) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  )
}

/** The columns that the first parentheses list, without what is said of each, joined as PostgreSQL joins them in a name. */
function columnsIn(detail: string): string {
  const list = /\(([^()]*)\)/.exec(detail)?.[1] ?? ''
  return list
    .split(', ')
    .map((column) => partsOf(/^(?:"(?:[^"]|"")*"|\S+)/.exec(column)?.[0] ?? '').join('.'))
    .join('_')
}

function split(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}
