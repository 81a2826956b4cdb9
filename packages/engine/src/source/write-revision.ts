import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { DroverError, type ElsewhereDependency, type History, idLength, type Revision } from '@drover/history'

import type { Source } from './read-revisions.ts'
import { unfilledMarker } from './script.ts'

/** What a new revision is made from. */
export interface RevisionDraft {
  /** What it does, in a few words; gives the folder its name. */
  readonly message: string
  readonly parents: readonly string[]
  readonly labels?: readonly string[]
  /** Ids of the same history. */
  readonly dependsOn?: readonly string[]
  readonly dependsOnElsewhere?: readonly ElsewhereDependency[]
  readonly created: Date
}

/**
 * Writes a new revision whose up and down are still to be filled in: until then it refuses to run. The folder appears
 * complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeEmptyRevision(source: Source, history: History, draft: RevisionDraft): Revision {
  return writeRevision(source, history, draft, {
    up: placeholder('what this revision changes'),
    down: placeholder('what undoes migration.sql'),
  })
}

/**
 * Writes a revision that joins its parents and changes nothing itself, so that it can be run as it is. The folder appears
 * complete or not at all.
 * @returns the revision as it was written
 * @throws {DroverError} `WRITE_FAILED` when the folder cannot be written
 */
export function writeMergeRevision(source: Source, history: History, draft: RevisionDraft): Revision {
  const branches = `${draft.parents.length === 2 ? 'two' : draft.parents.length} branches`
  return writeRevision(source, history, draft, {
    up: `-- Joins ${branches}; nothing to change.\n`,
    down: `-- Parts ${branches} again; nothing to change.\n`,
  })
}

function writeRevision(
  source: Source,
  history: History,
  draft: RevisionDraft,
  sql: { readonly up: string; readonly down: string },
): Revision {
  const { message, parents, labels = [], dependsOn = [], dependsOnElsewhere = [] } = draft
  const created = `${draft.created.toISOString().slice(0, 19)}Z`
  const record = { id: newId(history), parents, message, created }
  const dependencies = [...dependsOn, ...dependsOnElsewhere.map(({ database, revision }) => `${database}/${revision}`)]
  const json = {
    ...record,
    ...(labels.length > 0 && { labels }),
    ...(dependencies.length > 0 && { dependsOn: dependencies }),
  }
  const folder = `${source.folder}/${created.replaceAll(/[-:TZ]/g, '')}_${slug(message)}`
  writeFolder(source, folder, {
    'revision.json': `${JSON.stringify(json, null, 2)}\n`,
    'migration.sql': sql.up,
    'down.sql': sql.down,
  })
  const elsewhere = dependsOnElsewhere.length > 0 && { dependsOnElsewhere }
  return { ...record, labels, dependsOn, ...elsewhere, folder, reversible: true }
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

function writeFolder(source: Source, folder: string, files: Readonly<Record<string, string>>): void {
  const path = join(source.root, folder)
  // Hidden, so that nobody reads it as a revision before it is complete.
  const draft = join(source.root, source.folder, `.draft-${randomUUID()}`)
  try {
    if (existsSync(path)) {
      throw new DroverError({
        code: 'WRITE_FAILED',
        file: folder,
        message: `${folder} is there already`,
        hint: 'run the command again',
      })
    }
    mkdirSync(draft, { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(draft, name), text)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (error instanceof DroverError) throw error
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new DroverError(
      {
        code: 'WRITE_FAILED',
        file: source.folder,
        message: `cannot write into ${source.folder} (${reason})`,
        hint: 'give yourself write permission on that folder, then run the command again',
      },
      { cause: error },
    )
  }
}
