import type { Problem } from '@drover/history'

import type { SchemaState } from './kit/state.ts'
import { carry, compareThings, describeThing, type KnownRenames, type Thing, thingsOf } from './named-things.ts'
import { canBe, isExactly, isNear, shortener } from './rename-candidates.ts'
import { formatName, formatRenameOption, type RenameOption } from './rename-option.ts'

/** How many options a hint lists. */
const listed = 8

/** An option that can mean several things, in different schemas. */
export function refuseAmbiguous(option: RenameOption, ways: readonly string[]): Problem {
  return {
    code: 'RENAME_AMBIGUOUS',
    message: `--rename "${option.text}" can mean ${ways.length} things`,
    hint: `say which one, with its schema: ${ways.join(' or ')}`,
  }
}

/** An option that names nothing that could have been renamed, with those that would. */
export function refuseUnknown(
  option: RenameOption,
  before: SchemaState,
  after: SchemaState,
  known: KnownRenames,
): Problem {
  const shorten = shortener(before, after)
  const { removed, added } = compareThings(before, after, known)
  const ways = removed.flatMap((old) =>
    added
      .filter((thing) => canBe(thing, old))
      .map((thing) => formatRenameOption(shorten(old.path), shorten(thing.path))),
  )
  const more = ways.length > listed ? ` (and ${ways.length - listed} more)` : ''
  return {
    code: 'RENAME_UNKNOWN',
    message: `--rename "${option.text}" names no rename: ${reasonFor(option, before, after, known)}`,
    hint:
      ways.length === 0
        ? 'leave it out: nothing else in this change could be a rename'
        : `what could be a rename: ${ways.slice(0, listed).join(', ')}${more}`,
  }
}

function reasonFor(option: RenameOption, before: SchemaState, after: SchemaState, known: KnownRenames): string {
  const [from, to] = [formatName(option.from), formatName(option.to)]
  const old = findNamed(option.from, carry(before, known))
  const fresh = findNamed(option.to, thingsOf(after))
  if (!old) return `there was no ${from}`
  if (findNamed(option.from, thingsOf(after))) return `${from} is still there`
  if (!fresh) return `the schema has no ${to}`
  if (findNamed(option.to, thingsOf(before))) return `${to} was there before`
  const [was, is] = [describeThing(old.kind, old.path), describeThing(fresh.kind, fresh.path)]
  return old.kind === fresh.kind ? `another option renames ${was}, or to ${is}` : `${was} cannot become ${is}`
}

function findNamed(parts: readonly string[], things: readonly Thing[]): Thing | undefined {
  return things.find(({ path }) => isExactly(parts, path)) ?? things.find(({ kind, path }) => isNear(parts, path, kind))
}
