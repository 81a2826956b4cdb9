import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { checksum, type SnapshotRevision } from '@drover/history'

import { splitStatements, type Statement } from '../source/statements.ts'

/** The schema that revisions build, as one script: what they lead to without the way there. */
export interface SchemaSnapshot {
  /** Path from the workspace's root. */
  readonly file: string
  /** All of the file. */
  readonly sql: string
  readonly statements: readonly Statement[]
  /** The revisions that it stands for. */
  readonly revisions: readonly SnapshotRevision[]
  /** The file without its head. */
  readonly body: string
  /** Checksum of `body`. */
  readonly content: string
  /** Whether it is of a tenant: what it makes is in the schema `tenantSchema`, which stands for that of each tenant. */
  readonly isOfTenant: boolean
}

/** A snapshot as it was read, or why there is none. The reason goes on a sentence that began with the file. */
export type SnapshotReading =
  | { readonly kind: 'read'; readonly snapshot: SchemaSnapshot }
  | { readonly kind: 'missing' }
  | { readonly kind: 'damaged'; readonly reason: string }

/** The name of the file in the folder of a database. */
export const snapshotFile = 'schema.sql'

/**
 * The schema that stands for that of each tenant in a snapshot. No history may have the name in its SQL, so that whatever is called so
 * in a snapshot is that schema.
 */
export const tenantSchema = 'drover_tenant'

const tenantLine = `-- tenants: ${tenantSchema} stands for the schema of each`
const title = '-- The schema that a history builds, in one file. drover snapshot, format'
const format = 1

/**
 * Reads the snapshot of a database. Whether it belongs to the history of today is for `judgeSnapshot` to say.
 * @param file path from the workspace's root
 */
export function readSnapshot(root: string, file: string): SnapshotReading {
  let sql
  try {
    sql = readFileSync(join(root, file), 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'damaged', reason: `cannot be read (${code})` }
  }
  return parseSnapshot(file, sql)
}

/** Takes the text of a snapshot apart. */
export function parseSnapshot(file: string, sql: string): SnapshotReading {
  const lines = sql.split(/\r?\n/)
  const [first = ''] = lines
  if (!first.startsWith(title)) return { kind: 'damaged', reason: 'is not a snapshot that Drover has written' }
  const found = first.slice(title.length).trim()
  if (found !== String(format)) {
    return { kind: 'damaged', reason: `has format ${found}, and this version of Drover knows format ${format}` }
  }
  const end = lines.indexOf('')
  const head = end === -1 ? lines : lines.slice(0, end)
  const revisions = head.flatMap((line): readonly SnapshotRevision[] => {
    const { id, digest } = /^-- {3}(?<id>[0-9a-f]{12}) (?<digest>[0-9a-f]{64})$/.exec(line)?.groups ?? {}
    return id !== undefined && digest !== undefined ? [{ id, digest }] : []
  })
  const content = head.flatMap((line) => /^-- content: (sha256:[0-9a-f]{64})$/.exec(line)?.[1] ?? [])
  const count = head.flatMap((line) => /^-- revisions: (\d+)$/.exec(line)?.[1] ?? [])
  const body = lines.slice(head.length + 1).join('\n')
  // A merge of two branches can make one file of two without any conflict.
  const isComment = head.every((line) => line.startsWith('--'))
  if (!isComment || content.length !== 1 || content[0] !== checksum(body) || Number(count[0]) !== revisions.length) {
    return { kind: 'damaged', reason: 'was edited by hand, or merged' }
  }
  return {
    kind: 'read',
    snapshot: {
      file,
      sql,
      statements: splitStatements(sql),
      revisions,
      body,
      content: content[0],
      isOfTenant: head.includes(tenantLine),
    },
  }
}

/** What a snapshot is written from. */
export interface SnapshotText {
  /** The folder with the revisions, from the workspace's root. */
  readonly migrations: string
  /** The ids of the heads. */
  readonly heads: readonly string[]
  /** In run order. */
  readonly revisions: readonly SnapshotRevision[]
  /** The statements. */
  readonly body: string
  /** The command that writes it. */
  readonly command: string
  /** Whether the statements are those of a tenant, in the schema `tenantSchema`. Default `false`. */
  readonly isOfTenant?: boolean
}

/** Writes the text of a snapshot. The same revisions and the same statements give the same text. */
export function writeSnapshot(text: SnapshotText): string {
  const { migrations, heads, revisions, body, command, isOfTenant = false } = text
  return `${title} ${format}
-- Do not edit it: ${command} writes it, and pnpm migrate check proves it.
-- history: ${migrations.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')}${isOfTenant ? `\n${tenantLine}` : ''}
-- heads: ${heads.join(', ')}
-- content: ${checksum(body)}
-- revisions: ${revisions.length}
${revisions.map(({ id, digest }) => `--   ${id} ${digest}\n`).join('')}
${body}`
}
