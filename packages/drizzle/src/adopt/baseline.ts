import {
  type CatalogDifference,
  compareCatalogs,
  type Connection,
  ownSchemas,
  readCatalog,
  readMajorVersion,
} from '@drover/engine'

import { forDrift, type ShadowServer } from '../drift.ts'
import { isAboutForeign } from '../foreign.ts'
import type { Kit } from '../kit/kit.ts'
import { emptyState } from '../kit/state.ts'
import { formatScript, tidyStatement } from '../script-text.ts'
import { createShadow } from '../shadow.ts'
import { tryStatements } from '../try-statements.ts'
import { type ForeignTable, foreignObjectsOf } from './foreign-tables.ts'

/** Which database to start a history from. */
export interface BaselineOptions {
  /** A connection to it, where nothing is written. */
  readonly live: Connection
  readonly server: ShadowServer
  /** The table of the tool that has made it, which is no part of the schema. */
  readonly table: ForeignTable | undefined
  /** Objects that are none of the history's business, as `foreign` in `database.ts` declares them. */
  readonly foreign: readonly string[]
}

/** A first revision that builds the schema of a database as it is. */
export interface Baseline {
  /** Text of its `migration.sql`. */
  readonly up: string
  /** How many statements that has. */
  readonly statements: number
  /** Why it is marked to be edited before it runs: it was tried on a shadow, and did not build the same. None when it did. */
  readonly faults: readonly string[]
  /** What it builds otherwise than the database has it. */
  readonly differences: readonly CatalogDifference[]
}

/**
 * Writes the SQL that builds the schema of a live database from nothing, and tries it on a shadow: what does not build the
 * same is marked, and refuses to run until somebody has edited it.
 * @throws {DroverError} what is wrong with a connection
 */
export async function makeBaseline({ live, server, table, foreign }: BaselineOptions): Promise<Baseline> {
  // Loaded when it is needed, which is once in the life of a database.
  const { planDelta } = await import('@drover/delta')
  await using shadow = await createShadow(server.url)
  const planned = await planDelta({
    from: shadow.url.revealUrl(),
    to: live.url.revealUrl(),
    ignoredSchemas: [...ownSchemas, ...(table?.schema === 'drizzle' ? ['drizzle'] : [])],
  })
  const statements = planned.statements.filter((statement) => !isAboutTable(statement, table)).map(tidyStatement)
  const failure = await tryStatements(shadow.connection, statements, 'per-revision')
  const ignored = [...foreign, ...(table ? foreignObjectsOf(table) : [])]
  const differences = failure ? [] : await findDifferences(live, shadow.connection, server, ignored)
  const faults = [
    ...(failure ? [`${failure.statement}\nfails: ${failure.message}`] : []),
    ...(differences.length > 0 ? [...planned.gaps, ...differences.map(nameOf)] : []),
  ]
  const up = formatScript(statements, {
    remarks: [],
    ...(faults.length > 0 && {
      unproved: ['It does not build the schema that the database has:', ...faults].join('\n'),
    }),
  })
  return { up, statements: statements.length, faults, differences }
}

/** The snapshot of a baseline, and how the Drizzle schema differs from the database that it is to describe. */
export interface BaselineSnapshot {
  readonly snapshot: string
  /** Of what a Drizzle schema can say. */
  readonly differences: readonly CatalogDifference[]
}

/**
 * Takes a Drizzle schema for the state after the baseline, and compares it with the database.
 * @param schema absolute path of the Drizzle schema
 * @throws {DroverError} `SCHEMA_INVALID`
 */
export async function makeBaselineSnapshot(
  kit: Kit,
  schema: string,
  { live, server, table, foreign }: BaselineOptions,
): Promise<BaselineSnapshot> {
  const diff = await kit.diff(emptyState, await kit.readSchema(schema), [])
  // From nothing, there is nothing that could have been renamed.
  const statements = diff.ok ? diff.statements : []
  await using shadow = await createShadow(server.url)
  await tryStatements(shadow.connection, statements, 'per-revision')
  const ignored = [...foreign, ...(table ? foreignObjectsOf(table) : [])]
  const differences = await findDifferences(live, shadow.connection, server, ignored)
  return { snapshot: await kit.writeSnapshot([], schema, []), differences: differences.filter(isOfDrizzle) }
}

function isAboutTable(statement: string, table: ForeignTable | undefined): boolean {
  return table !== undefined && new RegExp(String.raw`\b${table.name}(?:_\w+)?\b`).test(statement)
}

async function findDifferences(
  live: Connection,
  shadow: Connection,
  server: ShadowServer,
  foreign: readonly string[],
): Promise<readonly CatalogDifference[]> {
  const sameVersion = (await readMajorVersion(live)) === server.version
  const expected = forDrift(await readCatalog(live), sameVersion)
  const found = forDrift(await readCatalog(shadow), sameVersion)
  return compareCatalogs(expected, found).filter((difference) => !isAboutForeign(difference, foreign))
}

function nameOf({ object, part, kind }: CatalogDifference): string {
  return `${[object, part].filter(Boolean).join(' ')} is ${kind}`
}

/** What Drizzle has no words for is no fault of its schema. */
function isOfDrizzle({ object, part = '' }: CatalogDifference): boolean {
  return (
    /^(?:table|enum|sequence|view|materialized view|schema) /.test(object) &&
    !/\b(?:trigger|comment|privileges)\b/.test(part)
  )
}
