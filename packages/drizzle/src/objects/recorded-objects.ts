import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { closureOf, DroverError, type Revision } from '@drover/history'
import * as v from 'valibot'

import type { ObjectFile } from './object-file.ts'

/** A revision that may have recorded objects: in `objects.json` in its folder, all that are declared after it. */
export type RecordingRevision = Pick<Revision, 'id' | 'parents' | 'folder'>

/**
 * The objects that are declared after some revisions. One that recorded none has those of its parents; where branches meet,
 * each file is as the branch that changed it left it.
 * @param lineage all of them down to the base, parents before children, with folders from the root
 * @throws {DroverError} `SNAPSHOT_INVALID` for a file that cannot be read, `BRANCHES_CONFLICT` when branches that meet have
 * both changed a file
 */
export function readRecordedObjects(root: string, lineage: readonly RecordingRevision[]): readonly ObjectFile[] {
  const history: Recorded = { filesOf: new Map(), parentsOf: new Map(lineage.map(({ id, parents }) => [id, parents])) }
  for (const { id, parents, folder } of lineage) {
    history.filesOf.set(id, readOne(root, `${folder}/objects.json`) ?? joinBranches(parents, history))
  }
  const inner = new Set(lineage.flatMap(({ parents }) => parents))
  const heads = lineage.map(({ id }) => id).filter((id) => !inner.has(id))
  return sorted([...joinBranches(heads, history)].map(([file, sql]) => ({ file, sql })))
}

/** The text of `objects.json`. */
export function formatRecordedObjects(objects: readonly ObjectFile[]): string {
  const byFile = Object.fromEntries(sorted(objects).map(({ file, sql }) => [file, sql]))
  return `${JSON.stringify(byFile, undefined, 2)}\n`
}

/** What a revision that leaves the objects as they are records of them: nothing when there are none. */
export function recordedObjects(objects: readonly ObjectFile[]): { readonly objects?: string } {
  return objects.length === 0 ? {} : { objects: formatRecordedObjects(objects) }
}

type Files = ReadonlyMap<string, string>

/** What is declared after each revision so far. */
interface Recorded {
  readonly filesOf: Map<string, Files>
  readonly parentsOf: ReadonlyMap<string, readonly string[]>
}

const none: Files = new Map()

/** What is declared where branches meet, each as the id of its last revision. */
function joinBranches(branches: readonly string[], { filesOf, parentsOf }: Recorded): Files {
  const [first, ...others] = branches
  if (first === undefined) return none
  let below = others.length > 0 ? lineageOf(first, parentsOf) : new Set<string>()
  return others.reduce(
    (one, id) => {
      const own = lineageOf(id, parentsOf)
      const common = [...filesOf].findLast(([shared]) => below.has(shared) && own.has(shared))?.[1] ?? none
      below = below.union(own)
      const other = filesOf.get(id) ?? none
      const files = [...new Set([...one.keys(), ...other.keys()])].flatMap(
        (file): readonly (readonly [string, string])[] => {
          const sql = joinFile(file, one.get(file), other.get(file), common.get(file))
          return sql === undefined ? [] : [[file, sql]]
        },
      )
      return new Map(files)
    },
    filesOf.get(first) ?? none,
  )
}

/** A revision and all below it. */
function lineageOf(id: string, parentsOf: Recorded['parentsOf']): ReadonlySet<string> {
  return closureOf([id], (one) => parentsOf.get(one))
}

function joinFile(
  file: string,
  one: string | undefined,
  other: string | undefined,
  common: string | undefined,
): string | undefined {
  if (one === other || other === common) return one
  if (one === common) return other
  throw new DroverError({
    code: 'BRANCHES_CONFLICT',
    message: `both branches change the object that ${file} declares`,
    hint: 'let one of the branches declare it as the other does, with a revision on it, and join them then',
  })
}

const recorded = v.record(v.string(), v.string())

function readOne(root: string, path: string): Files | undefined {
  const file = join(root, path)
  if (!existsSync(file)) return undefined
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw invalid(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const result = v.safeParse(recorded, content)
  if (!result.success || Array.isArray(content)) throw invalid(path, 'is not an object of files and their SQL')
  return new Map(Object.entries(result.output))
}

function invalid(path: string, fault: string): DroverError {
  return new DroverError({
    code: 'SNAPSHOT_INVALID',
    file: path,
    message: `${path} ${fault}`,
    hint: 'restore the file from version control: Drover wrote it together with the revision',
  })
}

function sorted(objects: readonly ObjectFile[]): readonly ObjectFile[] {
  return objects.toSorted((a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)))
}
