import { type CatalogDifference, splitObject } from '@drover/engine'

/**
 * Whether an object is none of the history's business, because `foreign` in `database.ts` declares it: itself, or the
 * schema that it is in. A name may end in `*`; that of a function may do without its arguments.
 */
export function isForeign(object: string, declared: readonly string[]): boolean {
  const { kind, schema = schemaOfDefaults(object), name } = splitObject(object)
  return declared.some((declaration) => {
    const foreign = splitObject(declaration)
    if (foreign.kind === kind && fits(foreign.name, name)) return true
    return foreign.kind === 'schema' && schema !== undefined && fits(foreign.name, schema)
  })
}

/** Whether a difference is about a foreign object, or about what belongs to one: the partitions and sequences of a table. */
export function isAboutForeign(difference: CatalogDifference, declared: readonly string[]): boolean {
  if (isForeign(difference.object, declared)) return true
  const text = `${difference.expected ?? ''}\n${difference.found ?? ''}`
  const owners = [...text.matchAll(ownerPattern)].map((match) => match[1] ?? match[2])
  return owners.some((owner) => isForeign(`table ${owner}`, declared))
}

const identifier = String.raw`(?:"(?:[^"]|"")*"|[^\s",.])+`
const table = String.raw`${identifier}(?:\.${identifier})?`
const ownerPattern = new RegExp(
  String.raw`(?:, partition of (${table}),)|(?:, owned by (${table})\.${identifier}$)`,
  'gm',
)

/** `default privileges for role owner in schema app on tables` → `app`. */
function schemaOfDefaults(object: string): string | undefined {
  return defaultsPattern.exec(object)?.[1]
}

const defaultsPattern = new RegExp(`^default privileges .* in schema (${identifier}) on `)

/** A pattern is written without the quotes that some of the names have which it stands for. */
function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*')
    ? [name, name.replaceAll('"', '')].some((text) => text.startsWith(pattern.slice(0, -1)))
    : name === pattern || name.startsWith(`${pattern}(`)
}
