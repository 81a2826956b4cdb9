import type { Declaration } from './declaration.ts'
import { kinds } from './statement-kind.ts'

/**
 * Declarations in the order in which they are created: what another needs comes before it, and apart from that they go by
 * kind and path. Where two need each other, one is simply first.
 */
export function creationSequence(declarations: readonly Declaration[]): readonly Declaration[] {
  const creators = creatorsOf(declarations)
  const sequence = new Set<Declaration>()
  const begun = new Set<Declaration>()
  const place = (declaration: Declaration) => {
    if (begun.has(declaration)) return
    begun.add(declaration)
    for (const needed of declarations.length > 1 ? neededBy(declaration, creators) : []) place(needed)
    sequence.add(declaration)
  }
  for (const declaration of declarations.toSorted(byKindAndPath)) place(declaration)
  return [...sequence]
}

/**
 * The declarations that can be created before the tables, and that tables may need. The rest waits for the tables: a view, or
 * a function that takes the row of one.
 */
export function findEarly(declarations: readonly Declaration[]): ReadonlySet<Declaration> {
  const early = new Set(declarations.filter(({ kind }) => earlyKinds.has(kind)))
  const creators = creatorsOf(declarations)
  for (let size = -1; size !== early.size;) {
    size = early.size
    for (const declaration of early) {
      const { atCreation, ofTables } = declaration.references
      const isEarlyKey = (key: string) => creators.get(key)?.every((creator) => early.has(creator))
      const isWaiting =
        [...ofTables].some((key) => !isEarlyKey(key)) || [...atCreation].some((key) => isEarlyKey(key) === false)
      if (isWaiting) early.delete(declaration)
    }
  }
  return early
}

const earlyKinds: ReadonlySet<string> = new Set([
  'extension',
  'schema',
  'type',
  'domain',
  'sequence',
  'function',
  'aggregate',
  'other',
])

function neededBy(declaration: Declaration, creators: ReadonlyMap<string, readonly Declaration[]>) {
  const keys = [...declaration.references.atCreation, ...declaration.about]
  return keys
    .flatMap((key) => creators.get(key) ?? [])
    .filter((needed) => needed !== declaration)
    .toSorted(byKindAndPath)
}

function creatorsOf(declarations: readonly Declaration[]): ReadonlyMap<string, readonly Declaration[]> {
  const creators = new Map<string, Declaration[]>()
  for (const declaration of declarations) {
    for (const key of declaration.creates) creators.set(key, [...(creators.get(key) ?? []), declaration])
  }
  return creators
}

function byKindAndPath(a: Declaration, b: Declaration): number {
  const byKind = kinds.indexOf(a.kind) - kinds.indexOf(b.kind)
  if (byKind !== 0) return byKind
  return a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1
}
