import { join } from 'node:path'

import type { History } from '@drover/history'
import type { Database, InitdbFile } from '@drover/orchestrator'

import type { Style } from './style.ts'
import { count } from './text.ts'

/** A snapshot as it is to be on the disk. */
export interface MadeSnapshot {
  readonly database: Database
  readonly history: History
  readonly text: string
  /** How many statements are in it. */
  readonly statements: number
  /** Whether it is another one than the one that is there. */
  readonly isNew: boolean
}

/** What became of each snapshot, a line each. */
export function describeSnapshot(made: readonly MadeSnapshot[], isDry: boolean, style: Style): readonly string[] {
  return made.map(({ database, history, statements, isNew }) => {
    const holds = `${count(history.revisions.length, 'revision')}, head ${history.heads.map(({ id }) => id).join(', ') || 'none'}, ${count(statements, 'statement')}`
    const verb = isDry ? 'would write' : style.good('wrote')
    const what = isNew ? `${verb} ${database.snapshot}` : `${database.snapshot} is as its history builds it`
    return `${style.strong(database.name)}: ${what} (${holds})`
  })
}

/** The files for the image of PostgreSQL, and what to do with them. */
export function describeInitdb(folder: string, files: readonly InitdbFile[], isDry: boolean): readonly string[] {
  if (files.length === 0) return []
  return [
    `${isDry ? 'would write' : 'wrote'}, for /docker-entrypoint-initdb.d:`,
    ...files.map(({ name }) => `  ${join(folder, name)}`),
  ]
}

/** A snapshot for programs. */
export function snapshotJson({ database, history, statements, isNew }: MadeSnapshot, isDry: boolean): object {
  return {
    name: database.name,
    file: database.snapshot,
    status: isNew ? (isDry ? 'planned' : 'written') : 'unchanged',
    heads: history.heads.map(({ id }) => id),
    revisions: history.revisions.map(({ id }) => id),
    statements,
  }
}

/** A file for the image of PostgreSQL, for programs. */
export function initdbJson(folder: string, { name, executable, database }: InitdbFile): object {
  return { file: join(folder, name), executable, ...(database !== undefined && { database }) }
}
