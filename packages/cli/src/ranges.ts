import {
  DroverError,
  formatRange,
  type History,
  parseRange,
  type Problem,
  type Range,
  resolveRange,
  type Revision,
  type Target,
} from '@drover/history'
import { type Database, selectDatabases, type Workspace } from '@drover/orchestrator'

/**
 * Reads the value of `--range`, if there is one.
 * @throws {DroverError} `TARGET_INVALID`
 */
export function parseRangeOption(text: string | undefined): Range | undefined {
  if (text === undefined) return undefined
  const parsed = parseRange(text)
  if (parsed.ok) return parsed.range
  throw new DroverError(parsed.problem)
}

/**
 * Narrows databases to the one that a range is for. A revision that is named in it belongs to one of several databases.
 * @param command for what to type instead
 * @throws {DroverError} `USAGE`, `DATABASE_UNKNOWN`
 */
export function databasesOfRange(
  range: Range,
  workspace: Workspace,
  selected: readonly Database[],
  command = 'history',
): readonly Database[] {
  const names = selected.map((database) => database.name).join(', ')
  if (range.database !== undefined) {
    const [named] = selectDatabases(workspace, [range.database])
    if (named && selected.includes(named)) return [named]
    throw new DroverError({
      code: 'DATABASE_UNKNOWN',
      message: `the range is for "${range.database}", which is not among: ${names}`,
      hint: 'correct the name before the "/", or the databases given with --database',
    })
  }
  const name = [range.from, range.to].flatMap((end) => nameIn(end) ?? []).at(0)
  if (name === undefined || selected.length === 1) return selected
  const correct = `pnpm migrate ${command} --range <database>/${formatRange(range)}`
  throw new DroverError({
    code: 'USAGE',
    message: `revision "${name}" is given to ${selected.length} databases, and belongs to one of them`,
    hint: `say which: ${correct} (${names})`,
  })
}

/** Finds the revisions of a range in each history; all of them without a range. */
export function narrowToRange<Whole extends { readonly database: Database; readonly graph: History }>(
  histories: readonly Whole[],
  range: Range | undefined,
): {
  readonly narrowed: readonly (Whole & { readonly revisions: readonly Revision[] })[]
  readonly problems: readonly Problem[]
} {
  const narrowed: (Whole & { readonly revisions: readonly Revision[] })[] = []
  const problems: Problem[] = []
  for (const whole of histories) {
    const found = range ? resolveRange(whole.graph, range, 'show') : ({ ok: true, ...whole.graph } as const)
    if (found.ok) narrowed.push({ ...whole, revisions: found.revisions })
    else problems.push({ ...found.problem, database: whole.database.name })
  }
  return { narrowed, problems }
}

function nameIn(end: Target | undefined): string | undefined {
  return end?.branch ?? (end?.anchor?.kind === 'name' ? end.anchor.name : undefined)
}
