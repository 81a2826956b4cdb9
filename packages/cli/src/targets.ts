import { DroverError, parseTarget, type Problem, type Target, throwProblems } from '@drover/history'
import { type Database, databasesOfTarget, selectDatabases, type Workspace } from '@drover/orchestrator'

/**
 * Reads targets, and calls their databases by their names.
 * @throws {DroverError} with everything that is wrong with any of them
 */
export function readTargets(workspace: Workspace, texts: readonly string[]): readonly Target[] {
  const results = texts.map(parseTarget)
  throwProblems(results.flatMap((result): readonly Problem[] => (result.ok ? [] : [result.problem])))
  return results.flatMap((result) => (result.ok ? [withDatabaseName(workspace, result.target)] : []))
}

/**
 * The one database that a command is about: the selected one, or the one that its targets name.
 * @param what the command is about, as messages call it: `a new revision`
 * @throws {DroverError} `USAGE`, `DATABASE_UNKNOWN`
 */
export function onlyDatabase(
  workspace: Workspace,
  selected: readonly Database[],
  what: string,
  targets: readonly Target[] = [],
): Database {
  const names = selected.map((one) => one.name)
  const named = targets
    .filter((target) => target.database !== undefined)
    .flatMap((target) => databasesOfTarget(target, names, ''))
  const [database, ...others] = named.length > 0 ? selectDatabases(workspace, named) : selected
  if (database && others.length === 0) return database
  throw new DroverError({
    code: 'USAGE',
    message: `${what} belongs to one database`,
    hint: `say which with --database: ${names.join(', ')}`,
  })
}

/** Calls a target's database by its name: a target may use an alias, as `--database` may. */
export function withDatabaseName(workspace: Workspace, target: Target): Target {
  const [named] = target.database === undefined ? [] : selectDatabases(workspace, [target.database])
  return named ? { ...target, database: named.name } : target
}
