import type { Problem } from '@drover/history'

import type { EntityPath, KitHint, KitQuestion, RenamedKind } from './kit/hints.ts'
import type { SchemaState } from './kit/state.ts'
import { findCastLoss } from './lossy-cast.ts'
import {
  type CarriedThing,
  carry,
  compareThings,
  definitionOf,
  describeThing,
  type EnumValueRename,
  type KnownRenames,
  samePath,
  type Thing,
  type ThingDifference,
  type ThingKind,
  thingKinds,
  thingsOf,
} from './named-things.ts'
import type { Rename } from './rename.ts'
import { canBe, isExactly, isNear, likeliestFirst, shortener } from './rename-candidates.ts'
import { formatRename, formatRenameOption, type RenameOption } from './rename-option.ts'
import { refuseAmbiguous, refuseUnknown } from './rename-problems.ts'

export type { EnumValueRename } from './named-things.ts'
export type { RenameOption } from './rename-option.ts'

/** What renames mean for a change. */
export interface ResolvedRenames {
  /**
   * Answers for drizzle-kit: the renames; a rename for each constraint, index, policy or view that differs in its name alone;
   * and `create` for whatever is not worth a question, because nothing is left that it could have been called before, or
   * because nothing is lost when it is dropped and made again.
   */
  readonly hints: readonly KitHint[]
  /** Every table and column that has rows under another name. Names of before on the left, of after on the right. */
  readonly renames: readonly Rename[]
  /** Values of enums, which drizzle-kit has no words for. */
  readonly enumValues: readonly EnumValueRename[]
  /** One for each option of `unresolved`, in the same order. */
  readonly problems: readonly Problem[]
  /** The options that name nothing that could have been renamed. With several databases they may be meant for another one. */
  readonly unresolved: readonly RenameOption[]
}

/** Is this new, or something else with a new name? One of drizzle-kit's questions, or ours about the value of an enum. */
export interface RenameQuestion {
  readonly kind: ThingKind
  readonly entity: EntityPath
}

/** Something new that may be something old with another name. */
export interface Ambiguity {
  readonly question: RenameQuestion
  /** What is new, in words: `column "full_name" of table "users"`. */
  readonly added: string
  /** What it may have been, the likeliest first. */
  readonly candidates: readonly RenameCandidate[]
}

/** What something new may have been. */
interface RenameCandidate {
  /** What is gone, in words: `column "name" of table "users"`. */
  readonly removed: string
  /** The value of `--rename` that says so, fit for `parseRename`. */
  readonly text: string
  /** The same as it is typed in a shell: `--rename users.name=users.full_name`. */
  readonly option: string
}

/**
 * Finds what rename options mean: each has to name something that is gone, and something of the same kind that is new.
 * A name may leave out the schema, and a constraint or an index its table. Columns are found under the old and the new name of
 * their table.
 */
export function resolveRenames(
  options: readonly RenameOption[],
  before: SchemaState,
  after: SchemaState,
): ResolvedRenames {
  let known: KnownRenames = { hints: [], enumValues: [] }
  const open = new Map(options.map((option) => [option.text, option]))
  const problems: Problem[] = []
  const unresolved: RenameOption[] = []
  for (const kind of thingKinds) {
    for (const option of open.values()) {
      const pairs = findPairs(kind, option, before, after, known)
      const [pair, ...others] = pairs
      if (!pair) continue
      open.delete(option.text)
      if (others.length === 0) known = learn(known, pair)
      else {
        const ways = pairs.map(({ removed, added }) => formatRenameOption(removed.path, added.path))
        problems.push(refuseAmbiguous(option, ways))
        unresolved.push(option)
      }
    }
  }
  const left = compareThings(before, after, known)
  for (const option of open.values()) {
    problems.push(refuseUnknown(option, before, after, known))
    unresolved.push(option)
  }
  return {
    hints: [...known.hints, ...answerWithoutAsking(left)],
    renames: renamesOfRows(before, known),
    enumValues: known.enumValues,
    problems,
    unresolved,
  }
}

/**
 * Which of drizzle-kit's questions the hints leave open. With `noRename` none: everything that is new is new.
 */
export function answerQuestions(
  questions: readonly KitQuestion[],
  hints: readonly KitHint[],
  { noRename }: { readonly noRename: boolean },
): { readonly answers: readonly KitHint[]; readonly unanswered: readonly KitQuestion[] } {
  const unanswered = questions.filter(
    ({ kind, entity }) =>
      !hints.some((hint) => hint.kind === kind && samePath(hint.type === 'rename' ? hint.to : hint.entity, entity)),
  )
  return noRename
    ? { answers: unanswered.map((question) => ({ type: 'create', ...question })), unanswered: [] }
    : { answers: [], unanswered }
}

/**
 * The values that enums gain while they lose others, which drizzle-kit takes for new without asking: what rows hold of the old
 * ones would be in the way.
 */
export function findValueQuestions(
  before: SchemaState,
  after: SchemaState,
  known: KnownRenames,
): readonly RenameQuestion[] {
  const { removed, added } = compareThings(before, after, known)
  return added
    .filter((thing) => thing.kind === 'enum value' && removed.some((old) => canBe(thing, old)))
    .map(({ kind, path }) => ({ kind, entity: path }))
}

/**
 * What questions are about, and the options that answer them.
 * @param known tables in questions about their columns have their new names
 */
export function describeQuestions(
  questions: readonly RenameQuestion[],
  before: SchemaState,
  after: SchemaState,
  known: KnownRenames = { hints: [], enumValues: [] },
): readonly Ambiguity[] {
  const { removed, added } = compareThings(before, after, known)
  const shorten = shortener(before, after)
  return questions.map((question) => {
    const thing = added.find(({ kind, path }) => kind === question.kind && samePath(path, question.entity))
    const candidates = thing
      ? likeliestFirst(
          thing,
          removed.filter((old) => canBe(thing, old)),
          before,
          after,
        )
      : []
    return {
      question,
      added: describeThing(question.kind, question.entity),
      candidates: candidates.map((candidate): RenameCandidate => {
        const names = [shorten(candidate.path), shorten(question.entity)] as const
        return {
          removed: describeThing(candidate.kind, candidate.path),
          text: formatRename(...names),
          option: formatRenameOption(...names),
        }
      }),
    }
  })
}

/**
 * The hints for the way back: renames the other way round, with the names that tables and schemas have there. What was new is
 * gone there and needs no answer; what was gone is new there, which `answerQuestions` says with `noRename`.
 */
export function reverseHints(hints: readonly KitHint[]): readonly KitHint[] {
  const renames = hints.filter((hint) => hint.type === 'rename')
  const back = (kind: RenamedKind, path: EntityPath) =>
    renames.find((rename) => rename.kind === kind && samePath(rename.to, path))?.from ?? path
  const backFrom = ([schema = '', ...rest]: EntityPath): EntityPath => [...back('schema', [schema]), ...rest]
  const backInTable = ([schema = '', table = '', ...rest]: EntityPath): EntityPath => [
    ...backFrom(back('table', [schema, table])),
    ...rest,
  ]
  return renames.map(({ type, kind, from, to }) => {
    if (from.length === 1) return { type, kind, from: to, to: from }
    const move = from.length === 2 ? backFrom : backInTable
    return { type, kind, from: move(to), to: move(from) }
  })
}

/**
 * What a change loses, in words: tables and columns that are dropped with all that is in them, and what becomes less exact
 * with another type.
 */
export function findLosses(before: SchemaState, after: SchemaState, renames: readonly Rename[]): readonly string[] {
  const present = new Map(rowsOf(after).map(({ path, entity }) => [path.join('\0'), entity]))
  const now = (path: EntityPath): EntityPath => {
    const own = renames.find(({ from }) => samePath(from, path))?.to
    if (own || path.length < 3) return own ?? path
    return [...now(path.slice(0, 2)), ...path.slice(2)]
  }
  const find = (path: EntityPath) => present.get(now(path).join('\0'))
  return rowsOf(before).flatMap(({ kind, path, entity }) => {
    const what = describeThing(kind, path)
    const found = find(path)
    if (found) {
      const loss = findCastLoss(String(entity['type']), String(found['type']))
      return loss === undefined ? [] : [`${what} becomes ${String(found['type'])}: ${loss}`]
    }
    return path.length < 3 || find(path.slice(0, 2)) ? [`${what} is dropped with all that is in it`] : []
  })
}

/** Something that is gone, and what it is called now. */
interface Pair {
  readonly removed: CarriedThing
  readonly added: Thing
}

/** What an option can mean among the things of one kind: exactly what it says if there is such a thing, else what comes near. */
function findPairs(
  kind: ThingKind,
  option: RenameOption,
  before: SchemaState,
  after: SchemaState,
  known: KnownRenames,
): readonly Pair[] {
  const { removed, added } = compareThings(before, after, known)
  const tables = new Map(
    carry(before, known)
      .filter(({ path }) => path.length === 2)
      .map(({ path, now }) => [now.join('\0'), path]),
  )
  const pairs = removed
    .filter((thing) => thing.kind === kind)
    .flatMap((old) => added.filter((thing) => canBe(thing, old)).map((thing): Pair => ({ removed: old, added: thing })))
  const exact = pairs.filter(
    (pair) => isExactly(option.from, pair.removed.path) && isExactly(option.to, pair.added.path),
  )
  if (exact.length > 0) return exact
  return pairs.filter(({ removed: old, added: thing }) => {
    const formerTable = tables.get(thing.path.slice(0, 2).join('\0'))
    const former = formerTable && thing.path.length === 3 ? [...formerTable, ...thing.path.slice(2)] : thing.path
    return (
      (isNear(option.from, old.path, kind) || isNear(option.from, old.now, kind)) &&
      (isNear(option.to, thing.path, kind) || isNear(option.to, former, kind))
    )
  })
}

function learn({ hints, enumValues }: KnownRenames, { removed, added }: Pair): KnownRenames {
  const { kind, path } = removed
  if (kind !== 'enum value') {
    return { hints: [...hints, { type: 'rename', kind, from: removed.now, to: added.path }], enumValues }
  }
  const [schema = '', name = '', from = ''] = path
  return { hints, enumValues: [...enumValues, { schema, name, from, to: added.path[2] ?? '' }] }
}

/** Kinds that hold nothing which dropping them would lose. */
const emptyKinds: ReadonlySet<ThingKind> = new Set<ThingKind>([
  'unique',
  'check',
  'index',
  'primary_key',
  'foreign key',
  'policy',
  'view',
])

/** Answers to the questions of drizzle-kit that nobody has to be asked. */
function answerWithoutAsking({ removed, added }: ThingDifference): readonly KitHint[] {
  const taken = new Set<CarriedThing>()
  return added.flatMap((thing): readonly KitHint[] => {
    const { kind } = thing
    if (kind === 'enum value') return []
    const candidates = removed.filter((old) => canBe(thing, old))
    const create: KitHint = { type: 'create', kind, entity: thing.path }
    if (candidates.length === 0) return [create]
    if (!emptyKinds.has(kind)) return []
    const definition = definitionOf(thing.entity)
    const same = candidates.find((candidate) => !taken.has(candidate) && definitionOf(candidate.entity) === definition)
    if (!same) return [create]
    taken.add(same)
    return [{ type: 'rename', kind, from: same.now, to: thing.path }]
  })
}

function renamesOfRows(before: SchemaState, known: KnownRenames): readonly Rename[] {
  return carry(before, known).flatMap(({ kind, path, now }): readonly Rename[] => {
    const isRenamed = kind === 'column' ? path.at(-1) !== now.at(-1) : kind === 'table' && !samePath(path, now)
    return isRenamed ? [{ from: path, to: now }] : []
  })
}

/** What has rows or values of its own. */
function rowsOf(state: SchemaState): readonly Thing[] {
  return thingsOf(state).filter(({ kind }) => kind === 'table' || kind === 'column')
}
