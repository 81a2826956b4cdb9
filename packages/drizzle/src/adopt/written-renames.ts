import { formatRename, type RenameOption } from '../rename-option.ts'

/** The renames that statements of drizzle-kit carry out, as options would say them. */
export function findWrittenRenames(statements: readonly string[]): readonly RenameOption[] {
  return statements.flatMap((statement): readonly RenameOption[] => {
    const match = rename.exec(statement)
    if (!match?.groups) return []
    const { thing, table, part, name } = match.groups
    const path = partsOf(thing!)
    // A policy's table stands behind it, a column's before it.
    const from = table ? [...partsOf(table), ...path] : part ? [...path, ...partsOf(part)] : path
    const to = [...from.slice(0, -1), ...partsOf(name!)]
    return [{ text: formatRename(from, to), from, to }]
  })
}

const identifier = String.raw`(?:"(?:[^"]|"")+"|[^\s".;]+)`
const qualified = String.raw`${identifier}(?:\.${identifier})*`
const rename = new RegExp(
  String.raw`^\s*alter\s+(?:table|type|schema|index|sequence|view|materialized\s+view|policy)\s+(?<thing>${qualified})` +
    String.raw`(?:\s+on\s+(?<table>${qualified}))?\s+rename\s+(?:(?:column|constraint)\s+(?<part>${identifier})\s+)?to\s+(?<name>${identifier})\s*;?\s*$`,
  'i',
)

function partsOf(name: string): readonly string[] {
  return (name.match(new RegExp(identifier, 'g')) ?? []).map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part,
  )
}
