import type { FaultDatabases } from './fault-history.ts'
import type { Ended } from './workspace.ts'

/** What an upgrade with `--json` has said of each revision, by database. */
interface Reported {
  readonly database: string
  readonly revision: string
  readonly said: 'applied' | 'not applied' | 'not known'
}

/** Reads what an upgrade has said, on either stream. */
function readReported(ended: Ended): readonly Reported[] {
  const document = ended.stdout === '' ? undefined : ended.json()
  const steps: readonly Reported[] = (document?.databases ?? []).flatMap((database: any) =>
    database.targets[0].steps.map((step: any) => ({
      database: database.name,
      revision: step.revision,
      said: step.status === 'applied' ? 'applied' : isDoubted(document, database.name) ? 'not known' : 'not applied',
    })),
  )
  const lines = ended.stderr.matchAll(/^(\w+) +applied +([0-9a-f]{12})\b/gm)
  return [
    ...steps,
    ...[...lines].map(
      ([, database, revision]) => ({ database: database!, revision: revision!, said: 'applied' }) as const,
    ),
  ]
}

/** What was said and is not so. @param applied by database */
function findUntruths(
  reported: readonly Reported[],
  applied: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  return reported
    .filter(({ database, revision, said }) => {
      const isApplied = applied[database]!.includes(revision)
      return (said === 'applied' && !isApplied) || (said === 'not applied' && isApplied)
    })
    .map(({ database, revision, said }) => `${database}/${revision} was said to be ${said}, and that is not so`)
}

function isDoubted(document: any, database: string): boolean {
  return (document.problems ?? []).some(
    (problem: any) => problem.database === database && problem.message.includes('could not be found out'),
  )
}

/**
 * What an upgrade with `--json` has said of the revisions is so, and it ended in one of these ways.
 * @throws {Error} with all that it said
 */
export async function expectHonest(
  ended: Ended,
  databases: Pick<FaultDatabases, 'applied'>,
  exitCodes: readonly number[],
): Promise<void> {
  const untruths = findUntruths(readReported(ended), await databases.applied())
  const wrong = exitCodes.includes(ended.exitCode) ? untruths : [`it ended with ${ended.exitCode}`, ...untruths]
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n${ended.stdout}${ended.stderr}`)
}
