import { nameRevision, type Problem } from '@drover/history'

import { runsOutsideTransaction } from '../source/outside-transaction.ts'
import { findSessionChange } from '../run/session-needs.ts'
import type { Script } from '../source/script.ts'
import { lineAt } from '../source/statements.ts'
import { quoteIdentifier } from '../sql/quote.ts'
import { dbmate } from './dbmate.ts'
import type { ExportedFile } from './exported-file.ts'
import { flyway } from './flyway.ts'
import type { Format } from './format.ts'
import { golangMigrate } from './golang-migrate.ts'
import { goose } from './goose.ts'
import { sql } from './sql.ts'
import { cutSides, type ExportedRevision, type ExportedSchema, type Unit, wholeSides } from './unit.ts'
import { assignVersions, nameOf } from './versions.ts'

const formats = { sql, 'golang-migrate': golangMigrate, goose, dbmate, flyway } as const satisfies Record<
  string,
  Format
>

/** For whom a history is written. */
export type ExportFormat = keyof typeof formats

/** How a history is exported. */
export interface ExportOptions {
  readonly format: ExportFormat
  /** The folder with the revisions, from the workspace's root. */
  readonly migrations: string
  /** Where names without a schema lead: not said by default, so that it is for whoever runs the files. */
  readonly schema?: {
    /** Default: a placeholder of the format, for many schemas that have one history. */
    readonly name?: string
    /** The schemas behind it. Default none. */
    readonly behind?: readonly string[]
  }
}

/**
 * Writes revisions, in the order in which they run, as files for another runner. What `findExportProblems` finds has to be mended
 * before. The same revisions give the same files.
 * @throws {DroverError} `NAME_UNUSABLE` for a schema that PostgreSQL cannot have
 */
export function exportHistory(revisions: readonly ExportedRevision[], options: ExportOptions): readonly ExportedFile[] {
  const format: Format = formats[options.format]
  const parts = revisions.map((one) => ({ one, sides: isCut(one, format) ? cutSides(one) : wholeSides(one) }))
  const versions = assignVersions(
    parts.map(({ one: { revision }, sides }) => ({
      folder: revision.folder,
      created: revision.created,
      count: sides.length,
    })),
  )
  const units = parts.flatMap(({ one: { revision }, sides }, place) =>
    sides.map((side, at): Unit => {
      const number = sides.length === 1 ? '' : `_${at + 1}_of_${sides.length}`
      return { revision, version: versions[place]![at]!, name: `${nameOf(revision)}${number}`, ...side }
    }),
  )
  return format.write(units, schemaOf(options), options.migrations)
}

/** What keeps revisions from being exported, each with a way out. */
export function findExportProblems(revisions: readonly ExportedRevision[], options: ExportOptions): readonly Problem[] {
  return revisions.flatMap((one) =>
    [one.up, ...(one.down ? [one.down] : [])].flatMap((script) => judge(script, options)),
  )
}

function judge(script: Script, options: ExportOptions): readonly Problem[] {
  const { revision, direction } = script
  if (revision.language === 'typescript') {
    if (direction === 'down') return []
    const what = 'runs code, which no other runner can'
    return [describe(script, what, `write what it does as SQL, or have ${alternative} run the history`)]
  }
  if (revision.batch && direction === 'up') {
    const what = 'runs in batches, whose ends nobody knows before they run'
    const hint = `take "batch" out of ${revision.folder}/revision.json and have it change all rows in one statement, or have ${alternative} run the history`
    return [describe(script, what, hint)]
  }
  const format: Format = formats[options.format]
  const schema = schemaOf(options)
  return [
    ...findMessageProblems(script, options),
    ...findTokens(script, format, schema),
    ...format.findFaults(script, schema).map(({ what, hint, at }) => describe(script, what, hint, at)),
  ]
}

const alternative = 'Drover (pnpm migrate upgrade -d <database>)'

/** What cannot be done where a file is one message. */
function findMessageProblems(script: Script, { format, schema }: ExportOptions): readonly Problem[] {
  const { revision, statements } = script
  if (!formats[format].sendsFiles || revision.transaction === undefined) return []
  const others = 'export it for goose, Flyway or psql (--format goose, flyway or sql)'
  if (revision.transaction === 'own') {
    const call = statements.find(({ text }) => /^call\b/i.test(text))
    if (call && (schema || statements.length > 1)) {
      const what = `calls a procedure, which cannot end transactions where there is something else in the message as which ${format} sends a file`
      return [describe(script, what, `put the call into a revision of its own, or ${others}`, call.start)]
    }
    const outside = statements.find(({ text }) => runsOutsideTransaction(text))
    if (!outside) return []
    const what = `has transactions of its own beside a statement that cannot run in one, and ${format} sends a file as one message`
    return [describe(script, what, `put that statement into a revision of its own, or ${others}`, outside.start)]
  }
  if (schema) {
    const what = `runs without a transaction, and ${format} would send each of its statements alone, so that nothing can say the schema`
    return [describe(script, what, others)]
  }
  const change = findSessionChange(script)
  if (change === undefined) return []
  const what = `runs without a transaction and sets something for its later statements, which ${format} may send over another connection`
  const at = statements.find(({ text }) => text === change)?.start
  return [describe(script, what, `write them so that they need no session, or ${others}`, at)]
}

/** Whoever fills the schema in would fill it in here too. Formats that know placeholders look for them themselves. */
function findTokens(script: Script, { openSchema }: Format, schema: ExportedSchema | undefined): readonly Problem[] {
  const token = openSchema.slice(1, -1)
  const at = script.sql.indexOf(token)
  if (!schema?.isOpen || token.startsWith('$') || at === -1) return []
  const what = `holds ${token}, which stands for the schema in what is exported`
  return [describe(script, what, 'write it in another way, or name the schema: --schema <name>', at)]
}

function describe({ revision, file, sql: text }: Script, what: string, hint: string, at?: number): Problem {
  const line = at === undefined ? undefined : lineAt(text, at)
  return {
    code: 'EXPORT_REFUSED',
    revision: revision.id,
    file,
    ...(line !== undefined && { line }),
    message: `${file}${line === undefined ? '' : `:${line}`}: ${nameRevision(revision)} ${what}`,
    hint,
  }
}

function isCut({ revision }: ExportedRevision, { sendsFiles }: Format): boolean {
  return sendsFiles && revision.transaction === 'none'
}

function schemaOf({ format, schema }: ExportOptions): ExportedSchema | undefined {
  if (!schema) return undefined
  const { name, behind = [] } = schema
  const first = name === undefined ? formats[format].openSchema : quoteIdentifier(name)
  return { path: [first, ...behind.map(quoteIdentifier)].join(', '), isOpen: name === undefined }
}
