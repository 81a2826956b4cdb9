import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  DroverError,
  type ElsewhereDependency,
  type History,
  idLength,
  type Phase,
  type Revision,
} from '@drover/history'

import type { Source } from './read-revisions.ts'
import { declaresDown } from './declares-down.ts'
import { unfilledCodeMarker, unfilledMarker } from './script.ts'

/** What a new revision is made from. */
export interface RevisionDraft {
  /** 12 hex digits that the history does not have yet: those of its snapshot, when there is one. Default: chosen at random. */
  readonly id?: string
  /** What it does, in a few words; gives the folder its name. */
  readonly message: string
  readonly parents: readonly string[]
  readonly labels?: readonly string[]
  /** Ids of the same history. */
  readonly dependsOn?: readonly string[]
  readonly dependsOnElsewhere?: readonly ElsewhereDependency[]
  /** A revision that would not come after its parents by this gets the next second instead. */
  readonly created: Date
  /** What another tool has called its folder: then that stays, and `created` as well. Default: made from time and message. */
  readonly folderName?: string
  readonly phase?: Phase
  readonly transaction?: 'none'
  readonly proof?: 'none'
}

/** What lies in a revision's folder for those who make the next one from a schema, as text. */
export interface SchemaFiles {
  /** drizzle-kit's snapshot after this revision. */
  readonly snapshot?: string
  /** The objects that are declared beside the schema, after this revision. */
  readonly objects?: string
}

/** What a generated revision consists of besides its `revision.json`, as text. */
export interface GeneratedFiles extends SchemaFiles {
  readonly up: string
  /** Irreversible when it is missing. */
  readonly down?: string
}

/** The same of a revision in TypeScript, which has both sides in one file. */
export interface CodeFiles extends SchemaFiles {
  readonly code: string
}

/**
 * Writes a new revision whose up and down are still to be filled in: until then it refuses to run. The folder appears
 * complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeEmptyRevision(
  source: Source,
  history: History,
  draft: RevisionDraft,
  schema: SchemaFiles = {},
): Revision {
  return writeGeneratedRevision(source, history, draft, {
    ...schema,
    up: placeholder('what this revision changes'),
    down: placeholder('what undoes migration.sql'),
  })
}

/**
 * Writes a new revision in TypeScript whose `up` and `down` are still to be filled in: until then it refuses to run. The
 * folder appears complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeCodeRevision(
  source: Source,
  history: History,
  draft: RevisionDraft,
  schema: SchemaFiles = {},
): Revision {
  return writeGeneratedRevisions(source, history, [{ draft, files: { ...schema, code: codePlaceholder } }])[0]!
}

/**
 * Writes a revision that joins its parents and changes nothing itself, so that it can be run as it is. The folder appears
 * complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeMergeRevision(
  source: Source,
  history: History,
  draft: RevisionDraft,
  schema: SchemaFiles = {},
): Revision {
  const branches = `${draft.parents.length === 2 ? 'two' : draft.parents.length} branches`
  return writeGeneratedRevision(source, history, draft, {
    ...schema,
    up: `-- Joins ${branches}; nothing to change.\n`,
    down: `-- Parts ${branches} again; nothing to change.\n`,
  })
}

/**
 * Writes a revision whose files are made already. The folder appears complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeGeneratedRevision(
  source: Source,
  history: History,
  draft: RevisionDraft,
  files: GeneratedFiles,
): Revision {
  return writeGeneratedRevisions(source, history, [{ draft, files }])[0]!
}

/**
 * Writes revisions that belong together, in this order: each is created at least a second after the one before it, so that
 * their folders sort as they run. Either all of them appear or none does.
 * @returns the revisions as they were written
 * @throws {DroverError} `WRITE_FAILED` when one of the folders cannot be written
 */
export function writeGeneratedRevisions(
  source: Source,
  history: History,
  drafts: readonly { readonly draft: RevisionDraft; readonly files: GeneratedFiles | CodeFiles }[],
): readonly Revision[] {
  let earliest = 0
  const folders = drafts.map(({ draft, files }) => {
    const time = draft.created.getTime()
    const created = draft.folderName ? time : Math.max(toSecond(time), earliest, ...afterParents(history, draft))
    earliest = toSecond(created) + 1000
    return describeFolder(source, draft.id ?? newId(history), draft, new Date(created), files)
  })
  writeFolders(source, folders)
  return folders.map(({ revision }) => revision)
}

/**
 * Adds what is missing to the folder of a revision that drizzle-kit has made: `down.sql`, if one is given, and `revision.json`,
 * last, so that a folder that has it is complete.
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function completeRevision(
  source: Source,
  revision: Revision,
  missing: Pick<RevisionDraft, 'transaction' | 'proof'> & { readonly down?: string },
): void {
  const { id, parents, message, created, folder } = revision
  const { transaction, proof, down } = missing
  const record = { id, parents, message, created, ...(transaction && { transaction }), ...(proof && { proof }) }
  const path = join(source.root, folder)
  try {
    if (down !== undefined) writeFileSync(join(path, 'down.sql'), down)
    writeFileSync(join(path, 'revision.json'), formatRecord(record))
  } catch (error) {
    throw cannotWrite(folder, error)
  }
}

/** Folders are named after seconds. */
function toSecond(time: number): number {
  return Math.floor(time / 1000) * 1000
}

/** drizzle-kit reads folders by their names, and needs those of parents first. */
function afterParents(history: History, { parents }: RevisionDraft): readonly number[] {
  return parents.flatMap((id) => {
    const parent = history.byId.get(id)
    return parent ? [toSecond(Date.parse(parent.created)) + 1000] : []
  })
}

interface Folder {
  readonly revision: Revision
  readonly files: Readonly<Record<string, string>>
}

function describeFolder(
  source: Source,
  id: string,
  draft: RevisionDraft,
  time: Date,
  files: GeneratedFiles | CodeFiles,
): Folder {
  const { message, parents, labels = [], dependsOn = [], dependsOnElsewhere = [], phase, transaction, proof } = draft
  const created = time.toISOString().replace('.000Z', 'Z')
  const record = { id, parents, message, created }
  const dependencies = [...dependsOn, ...dependsOnElsewhere.map(({ database, revision }) => `${database}/${revision}`)]
  const how = { ...(phase && { phase }), ...(transaction && { transaction }), ...(proof && { proof }) }
  const json = {
    ...record,
    ...(labels.length > 0 && { labels }),
    ...(dependencies.length > 0 && { dependsOn: dependencies }),
    ...how,
  }
  const name = draft.folderName ?? `${created.replaceAll(/[-:TZ]/g, '')}_${slug(message)}`
  const folder = `${source.folder}/${name}`
  const sides = describeSides(files)
  const elsewhere = dependsOnElsewhere.length > 0 && { dependsOnElsewhere }
  return {
    revision: { ...record, labels, dependsOn, ...elsewhere, ...how, folder, ...sides.facts },
    files: {
      'revision.json': formatRecord(json),
      ...sides.files,
      ...(files.snapshot !== undefined && { 'snapshot.json': files.snapshot }),
      ...(files.objects !== undefined && { 'objects.json': files.objects }),
    },
  }
}

interface Sides {
  readonly facts: Pick<Revision, 'reversible' | 'language'>
  readonly files: Readonly<Record<string, string>>
}

function describeSides(files: GeneratedFiles | CodeFiles): Sides {
  if ('code' in files) {
    return {
      facts: { reversible: declaresDown(files.code), language: 'typescript' },
      files: { 'migration.ts': files.code },
    }
  }
  const { up, down } = files
  return {
    facts: { reversible: down !== undefined },
    files: { 'migration.sql': up, ...(down !== undefined && { 'down.sql': down }) },
  }
}

function formatRecord(record: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

function newId(history: History): string {
  for (;;) {
    const id = randomUUID().replaceAll('-', '').slice(0, idLength)
    if (!history.byId.has(id)) return id
  }
}

/** The message as part of a folder's name: letters and digits, joined by underscores, at most 60 characters. */
function slug(message: string): string {
  const words = message
    .normalize('NFKD')
    .replaceAll(/\p{Mark}+/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 60)
    .replaceAll(/^_+|_+$/g, '')
  return words || 'revision'
}

function placeholder(what: string): string {
  return `${unfilledMarker}: write here ${what}, then remove this line\n`
}

const codePlaceholder = `import { defineMigration } from '@drover/config'

${unfilledCodeMarker}: write here what this revision changes and what undoes it, then remove this line
export default defineMigration({
  async up({ sql }) {
    await sql\`select 1\`
  },

  // Without it, the revision cannot be reverted.
  async down({ sql }) {
    await sql\`select 1\`
  },
})
`

function writeFolders(source: Source, folders: readonly Folder[]): void {
  // Hidden, so that nobody reads them as revisions before they are complete.
  const draft = join(source.root, source.folder, `.draft-${randomUUID()}`)
  const moved: string[] = []
  try {
    const taken = folders.find(({ revision }) => existsSync(join(source.root, revision.folder)))
    if (taken) throw isThere(taken.revision.folder)
    for (const [index, { files }] of folders.entries()) {
      const path = join(draft, String(index))
      mkdirSync(path, { recursive: true })
      for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
    }
    for (const [index, { revision }] of folders.entries()) {
      const path = join(source.root, revision.folder)
      renameSync(join(draft, String(index)), path)
      moved.push(path)
    }
  } catch (error) {
    for (const path of moved) rmSync(path, { recursive: true, force: true })
    if (error instanceof DroverError) throw error
    throw cannotWrite(source.folder, error)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function isThere(folder: string): DroverError {
  return new DroverError({
    code: 'WRITE_FAILED',
    file: folder,
    message: `${folder} is there already`,
    hint: 'run the command again',
  })
}

function cannotWrite(folder: string, cause: unknown): DroverError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  return new DroverError(
    {
      code: 'WRITE_FAILED',
      file: folder,
      message: `cannot write into ${folder} (${reason})`,
      hint: 'give yourself write permission on that folder, then run the command again',
    },
    { cause },
  )
}
