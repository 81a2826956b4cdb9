import { cleanSession } from '../run/guard.ts'
import type { Script } from '../source/script.ts'
import { quoteLiteral } from '../sql/quote.ts'
import type { ExportedFile } from './exported-file.ts'
import type { ExportedSchema, Side, Unit } from './unit.ts'

/** How files for one runner are written. */
export interface Format {
  /**
   * Whether it sends a file, or a side of one, as one message. PostgreSQL makes that a transaction, and refuses what cannot run in
   * one, so each statement of a revision without a transaction needs a file of its own.
   */
  readonly sendsFiles: boolean
  /** What stands for a schema until it is known, as SQL. */
  readonly openSchema: string
  /** The files of units, in the order in which they run. `migrations` is the folder that they come from. */
  readonly write: (
    units: readonly Unit[],
    schema: ExportedSchema | undefined,
    migrations: string,
  ) => readonly ExportedFile[]
  /** What the runner would take for something else than it is. */
  readonly findFaults: (script: Script, schema: ExportedSchema | undefined) => readonly Fault[]
}

/** Why a script cannot be handed over to a runner. */
export interface Fault {
  /** Where, in the script. */
  readonly at: number
  /** Behind the name of the revision. */
  readonly what: string
  readonly hint: string
}

/**
 * What stands around the statements of a side: they see the search_path that they are meant to see, and afterwards the runner, which
 * may record the migration in the same transaction by a name without a schema, sees its own again.
 */
export function frameOf(
  { revision }: Unit,
  { isUnclean }: Side,
  schema: ExportedSchema | undefined,
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const isLocal = revision.transaction === undefined
  const before = schema ? [`set ${isLocal ? 'local ' : ''}search_path to ${schema.path};`] : []
  if (isUnclean) return { before, after: [cleanSession] }
  return { before, after: schema ? [isLocal ? 'set local search_path to default;' : 'reset search_path;'] : [] }
}

/** A side as one text. */
export function sideLines(unit: Unit, side: Side, schema: ExportedSchema | undefined): readonly string[] {
  const { before, after } = frameOf(unit, side, schema)
  return [...before, side.sql, ...after]
}

/** A way back for runners that take a missing one for one that has nothing to do. */
export function refuseDown({ revision }: Unit): string {
  return `do $drover$
begin
  raise exception using message = ${quoteLiteral(`revision ${revision.id} cannot be reverted: nobody wrote a way back`)};
end
$drover$;`
}

/** What a pattern finds in a script, as faults. The pattern has to be global. */
export function findText(script: Script, pattern: RegExp, what: string, hint: string): readonly Fault[] {
  return [...script.sql.matchAll(pattern)].map((match) => ({ at: match.index, what, hint }))
}
