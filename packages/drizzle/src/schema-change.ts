import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'

import type { Source } from '@drover/engine'
import type { History, Problem } from '@drover/history'

import { type Ground, readGround } from './ground.ts'
import type { KitHint, KitQuestion } from './kit/hints.ts'
import type { Kit, SnapshotFile } from './kit/kit.ts'
import type { SchemaState } from './kit/state.ts'
import { isNothing, noObjectChange } from './object-change.ts'
import type { ObjectChange } from './objects/objects.ts'
import { readObjects } from './objects/read-objects.ts'
import type { ObjectFile } from './objects/object-file.ts'
import type { Rename } from './rename.ts'
import {
  type Ambiguity,
  answerQuestions,
  describeQuestions,
  type EnumValueRename,
  findValueQuestions,
  type RenameOption,
  type RenameQuestion,
  resolveRenames,
} from './renames.ts'
import { findUnusable } from './unusable-names.ts'

/** A database whose Drizzle schema is looked at. */
export interface SchemaTarget {
  readonly source: Source
  readonly history: History
  /** What the new revision comes after; usually the head. */
  readonly parents: readonly string[]
  /** Path of the Drizzle schema, from the root. */
  readonly schema: string
  /** Path of the folder with declared objects, from the root. */
  readonly objects: string
}

/** How the schema and the declared objects of a database differ from its history. */
export interface SchemaChange {
  readonly target: SchemaTarget
  readonly ground: Ground
  readonly before: SchemaState
  readonly after: SchemaState
  /** Every answer that drizzle-kit asked for on the way up. */
  readonly hints: readonly KitHint[]
  readonly renames: readonly Rename[]
  readonly enumValues: readonly EnumValueRename[]
  readonly objects: readonly ObjectFile[]
  readonly objectsUp: ObjectChange
  readonly objectsDown: ObjectChange
}

/** Whether a schema differs from its history, and what has to be answered first. */
export type SchemaComparison = {
  /** The rename options that name nothing here. With several databases they may be meant for another one. */
  readonly unresolved: readonly UnresolvedRename[]
} & (
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly change: SchemaChange }
  | { readonly kind: 'ambiguous'; readonly ambiguities: readonly Ambiguity[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
)

/** An option that names nothing that could have been renamed. */
interface UnresolvedRename {
  readonly option: RenameOption
  readonly problem: Problem
}

/** How to take things that may have been renamed. */
export interface RenameChoice {
  readonly renames: readonly RenameOption[]
  /** Answers to questions of `ambiguous`: what is new after all. */
  readonly created: readonly RenameQuestion[]
  /** Whether everything else that is new is new, and what is gone is gone. */
  readonly noRename: boolean
}

/**
 * Compares the Drizzle schema and the declared objects of a database with what its history recorded. No server is needed.
 * @throws {DroverError} `SCHEMA_INVALID`, `SNAPSHOT_INVALID`, `OBJECT_INVALID`
 */
export async function compareSchema(kit: Kit, target: SchemaTarget, choice: RenameChoice): Promise<SchemaComparison> {
  const { root } = target.source
  const ground = readGround(target.source, target.history, target.parents)
  const [found, objects] = await Promise.all([
    kit.compare(join(root, target.schema), ground.snapshots, []),
    readObjects(root, target.objects),
  ])
  const [objectsUp, objectsDown] = await compareObjects(target, ground.objects, objects)
  if (!found.changed && isNothing(objectsUp)) {
    return {
      kind: 'unchanged',
      unresolved: choice.renames.map((option) => ({ option, problem: nothingToRename(option) })),
    }
  }
  const { before, after } = found.changed ? found : await unchangedState(kit, ground.snapshots)
  const { hints, renames, enumValues, problems, unresolved: options } = resolveRenames(choice.renames, before, after)
  const unresolved = options.map((option, index) => ({ option, problem: problems[index]! }))

  const unusable = findUnusable(before, after, target.schema)
  if (unusable.length > 0) return { kind: 'refused', problems: unusable, unresolved }
  const known = { hints: [...hints, ...choice.created.flatMap(toHint)], enumValues }
  const answers = await answerAll(kit, before, after, known.hints, choice.noRename)
  const open = [
    ...('questions' in answers ? answers.questions : []),
    ...(choice.noRename
      ? []
      : findValueQuestions(before, after, known).filter((value) => !isAmong(choice.created, value))),
  ]
  if ('questions' in answers || open.length > 0) {
    return { kind: 'ambiguous', ambiguities: describeQuestions(open, before, after, known), unresolved }
  }
  const change = {
    target,
    ground,
    before,
    after,
    hints: answers.hints,
    renames,
    enumValues,
    objects,
    objectsUp,
    objectsDown,
  }
  return { kind: 'changed', change, unresolved }
}

function nothingToRename({ text }: RenameOption): Problem {
  return {
    code: 'RENAME_UNKNOWN',
    message: `there is nothing to rename with "${text}": the schema is as the history has it`,
    hint: 'change the Drizzle schema first, then run the same command again',
  }
}

/** The one object on both sides says that nothing but declared objects has changed. */
async function unchangedState(
  kit: Kit,
  snapshots: readonly SnapshotFile[],
): Promise<{ readonly before: SchemaState; readonly after: SchemaState }> {
  const state = await kit.readHistory(snapshots)
  return { before: state, after: state }
}

/** The answer for drizzle-kit, which does not ask about the values of enums. */
function toHint({ kind, entity }: RenameQuestion): readonly KitHint[] {
  return kind === 'enum value' ? [] : [{ type: 'create', kind, entity }]
}

function isAmong(questions: readonly RenameQuestion[], { kind, entity }: RenameQuestion): boolean {
  return questions.some((other) => other.kind === kind && isDeepStrictEqual(other.entity, entity))
}

/** How declared objects change, up and down. */
async function compareObjects(
  target: SchemaTarget,
  before: readonly ObjectFile[],
  after: readonly ObjectFile[],
): Promise<readonly [up: ObjectChange, down: ObjectChange]> {
  if (isDeepStrictEqual(before, after)) return [noObjectChange, noObjectChange]
  // PostgreSQL's parser takes longer to load than everything else: most of the time nothing has changed.
  const { changeObjects, checkObjects } = await import('./objects/objects.ts')
  await checkObjects(after, target.objects)
  return [await changeObjects(before, after), await changeObjects(after, before)]
}

/** Asks drizzle-kit until it has no more questions, or one that the choice does not answer. */
async function answerAll(
  kit: Kit,
  before: SchemaState,
  after: SchemaState,
  given: readonly KitHint[],
  noRename: boolean,
): Promise<{ readonly hints: readonly KitHint[] } | { readonly questions: readonly KitQuestion[] }> {
  const hints = [...given]
  for (;;) {
    const diff = await kit.diff(before, after, hints)
    if (diff.ok) return { hints }
    const { answers, unanswered } = answerQuestions(diff.questions, hints, { noRename })
    if (unanswered.length > 0) return { questions: unanswered }
    hints.push(...answers)
  }
}
