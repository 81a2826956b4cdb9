import { comesAfter, type Revision } from '@drover/history'

import { closed } from '../run/offline-script.ts'
import { leavesSomething } from '../source/outside-transaction.ts'
import type { Script } from '../source/script.ts'

/** A revision with its sides, as it is handed over to another runner. */
export interface ExportedRevision {
  readonly revision: Revision
  readonly up: Script
  /** Missing where nobody wrote a way back. */
  readonly down?: Script
}

/** What a runner counts as one migration: a revision, or one statement of a revision that has no transaction. */
export interface Unit {
  readonly revision: Revision
  /** 14 digits, the later the higher. */
  readonly version: string
  /** `[a-z0-9_]`, without the version. */
  readonly name: string
  readonly up: Side
  /** Missing where nobody wrote a way back. */
  readonly down?: Side
}

/** One direction of a unit. */
export interface Side {
  /** Its statements with the comments before them, each ended by a semicolon. */
  readonly statements: readonly string[]
  /** All of it as one text, comments included, that ends with a semicolon or a line. */
  readonly sql: string
  /** Whether it leaves something behind in the session that neither the next revision nor the runner must find there. */
  readonly isUnclean: boolean
}

/** The schema that names without one are looked for in, as SQL. */
export interface ExportedSchema {
  /** A search_path: the schema, or what stands for it until it is known, and what comes behind it. */
  readonly path: string
  /** Whether something stands for it. */
  readonly isOpen: boolean
}

/** Both sides as a whole. */
export function wholeSides({ up, down }: ExportedRevision): readonly Pick<Unit, 'up' | 'down'>[] {
  return [{ up: wholeSide(up), ...(down && { down: wholeSide(down) }) }]
}

/**
 * Both sides cut into units of one statement each. A runner reverts the last unit first, so the first statement of the way back goes
 * there; the shorter side ends with units that do nothing.
 */
export function cutSides({ up, down }: ExportedRevision): readonly Pick<Unit, 'up' | 'down'>[] {
  const ups = piecesOf(up)
  const downs = down && piecesOf(down)
  const length = Math.max(1, ups.length, downs?.length ?? 0)
  return Array.from({ length }, (_, at) => ({
    up: oneStatement(ups[at]),
    ...(downs && { down: oneStatement(downs[length - 1 - at]) }),
  }))
}

function wholeSide(script: Script): Side {
  return {
    statements: piecesOf(script),
    sql: script.statements.length === 0 ? script.sql.trimEnd() : closed(script),
    isUnclean: script.statements.some(({ text }) => leavesSomething(text)),
  }
}

function oneStatement(piece: string | undefined): Side {
  return piece === undefined
    ? { statements: [], sql: '-- Nothing to do.', isUnclean: false }
    : { statements: [piece], sql: piece, isUnclean: false }
}

/** Comments behind the last statement belong to none and are left out. */
function piecesOf({ sql, statements }: Script): readonly string[] {
  let from = 0
  return statements.map(({ start, text, end }) => {
    const comments = sql.slice(from, start).trim()
    from = end + 1
    return `${comments === '' ? '' : `${comments}\n`}${text};`
  })
}

/** What has to be applied before a revision, in this history and in others, for people who cannot see the graph. */
export function needsOf(revision: Revision): readonly string[] {
  const elsewhere = (revision.dependsOnElsewhere ?? []).map(({ database, revision: id }) => `${database}/${id}`)
  return [...comesAfter(revision), ...elsewhere]
}
