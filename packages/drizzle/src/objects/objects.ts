import { alterationOf } from './alteration.ts'
import { creatingPart, type Declaration, readDeclarations } from './declaration.ts'
import type { ObjectFile } from './object-file.ts'
import { creationSequence, findEarly } from './sequence.ts'

/**
 * Checks that each file declares one object, and no two the same.
 * @param folder where they are, from the root: messages name them from there
 * @throws {DroverError} `OBJECT_INVALID` with file and line for what is not one statement that declares one object
 */
export async function checkObjects(objects: readonly ObjectFile[], folder: string): Promise<void> {
  await readDeclarations(objects, folder)
}

/** How declared objects change. Each list can run in a transaction, around the change of the tables. */
export interface ObjectChange {
  /** What goes, or goes to come back changed: before the tables change. */
  readonly before: readonly string[]
  /** What tables may need (extensions, types, functions): before they change. */
  readonly early: readonly string[]
  /**
   * After they changed: what needs the tables (views, triggers, grants, comments, constraints), and last the dropping of what
   * the tables may have needed until then.
   */
  readonly late: readonly string[]
  /** What could not be worked out, one sentence each; the statements are then not the whole change. */
  readonly gaps: readonly string[]
}

/**
 * What leads from one set of declared objects to another. Pure but for the parser, which is loaded once. Each statement comes
 * as it stands in its file, comments included, without a semicolon. The way back is the same with `from` and `to` exchanged.
 * @throws {DroverError} `OBJECT_INVALID`, as `checkObjects` does
 */
export async function changeObjects(from: readonly ObjectFile[], to: readonly ObjectFile[]): Promise<ObjectChange> {
  const before = creationSequence(await readDeclarations(from, 'objects'))
  const after = creationSequence(await readDeclarations(to, 'objects'))
  const earlyBefore = findEarly(before)
  const earlyAfter = findEarly(after)
  const wanted = new Map(after.map((declaration) => [declaration.identity, declaration]))
  const known = new Map(before.map((declaration) => [declaration.identity, declaration]))

  const alterations = new Map<Declaration, readonly string[]>()
  const gaps: string[] = []
  const dropped = new Set<Declaration>()
  for (const declaration of before) {
    const next = wanted.get(declaration.identity)
    if (next?.meaning === declaration.meaning) continue
    const alteration = next && alterationOf(declaration, next)
    if (next && alteration) {
      alterations.set(next, alteration.statements)
      gaps.push(...alteration.gaps)
    } else {
      dropped.add(declaration)
    }
  }
  addDependents(dropped, before)

  const created = after.filter(({ identity }) => {
    const previous = known.get(identity)
    return previous === undefined || dropped.has(previous)
  })
  const droppedLast = findDroppedLast(
    [...dropped].filter((declaration) => earlyBefore.has(declaration) && !wanted.has(declaration.identity)),
    dropped,
    created,
  )
  const drops = before.toReversed().filter((declaration) => dropped.has(declaration) && !goesWith(declaration, dropped))
  const creations = new Map(created.map((declaration) => [declaration, [declaration.text]]))
  const statementsOf = (declaration: Declaration) => creations.get(declaration) ?? alterations.get(declaration) ?? []

  return {
    before: drops.filter((declaration) => !droppedLast.has(declaration)).flatMap(({ undo }) => undo),
    early: after.filter((declaration) => earlyAfter.has(declaration)).flatMap(statementsOf),
    late: [
      ...after.filter((declaration) => !earlyAfter.has(declaration)).flatMap(statementsOf),
      ...drops.filter((declaration) => droppedLast.has(declaration)).flatMap(({ undo }) => undo),
    ],
    gaps,
  }
}

/**
 * The objects in an order in which they can be created; what fails for want of another is tried again. Each comes with what
 * creates it alone: without the part of its file that undoes it.
 */
export async function creationOrder(objects: readonly ObjectFile[]): Promise<readonly ObjectFile[]> {
  const files = new Set(creationSequence(await readDeclarations(objects, 'objects')).map(({ file }) => file))
  const byFile = new Map(objects.map((object) => [object.file, object]))
  return [...files].map((file) => ({ file, sql: creatingPart(byFile.get(file)!.sql) }))
}

/** What rests on something that is dropped has to go, too, and to come back if it is still wanted. */
function addDependents(dropped: Set<Declaration>, all: readonly Declaration[]): void {
  for (let size = -1; size !== dropped.size;) {
    size = dropped.size
    const gone = new Set([...dropped].flatMap(({ creates }) => creates))
    for (const declaration of all) {
      if (restsOn(declaration, gone)) dropped.add(declaration)
    }
  }
}

function restsOn({ references, about }: Declaration, keys: ReadonlySet<string>): boolean {
  return [...references.lasting, ...about].some((key) => keys.has(key))
}

/**
 * What tables may still use goes after they changed, unless something else takes its name, or what it rests on has to go
 * before.
 */
function findDroppedLast(
  candidates: readonly Declaration[],
  dropped: ReadonlySet<Declaration>,
  created: readonly Declaration[],
): ReadonlySet<Declaration> {
  const taken = new Set(created.flatMap(({ creates }) => creates))
  const last = new Set(
    candidates.filter(({ kind, creates }) => kind !== 'other' && !creates.some((key) => taken.has(key))),
  )
  for (let size = -1; size !== last.size;) {
    size = last.size
    const goneBefore = new Set([...dropped].flatMap((each) => (last.has(each) ? [] : each.creates)))
    for (const declaration of last) {
      if (restsOn(declaration, goneBefore)) last.delete(declaration)
    }
  }
  return last
}

/** Whether a remark is dropped together with all that it is about. */
function goesWith({ about }: Declaration, dropped: ReadonlySet<Declaration>): boolean {
  const gone = new Set([...dropped].flatMap(({ creates }) => creates))
  return about.length > 0 && about.every((key) => gone.has(key))
}
