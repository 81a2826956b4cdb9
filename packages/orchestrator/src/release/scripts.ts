import { examineScript, findScriptProblems, isInDoubt, readScript, type Script } from '@drover/engine'
import { type Problem, type Step, throwProblems } from '@drover/history'

import { problemsOf } from './fleet.ts'

/** The steps of one database, in the order in which they run. */
export interface DatabaseSteps {
  readonly name: string
  readonly steps: readonly Step[]
}

/**
 * Reads the side of every step that runs.
 * @throws {DroverError} with everything that would keep the steps from being run: files that cannot be read, are not
 * filled in, or hold what cannot run in one transaction
 */
export async function readScripts(
  root: string,
  databases: readonly DatabaseSteps[],
): Promise<ReadonlyMap<Step, Script>> {
  const scripts = new Map<Step, Script>()
  const problems: Problem[] = []
  for (const { name, steps } of databases) {
    try {
      for (const step of steps) {
        const script = await readScript(root, step.revision, step.direction)
        scripts.set(step, script)
        // A revision whose way back is still to be written is not ready to go in either. TypeScript has it in the same file.
        const { reversible, language } = step.revision
        const hasBack = step.direction === 'up' && reversible && language === undefined
        const both = hasBack ? [script, await readScript(root, step.revision, 'down')] : [script]
        for (const one of both) problems.push(...(await judge(one)).map((problem) => ({ ...problem, database: name })))
      }
    } catch (error) {
      problems.push(...problemsOf(error, name))
    }
  }
  throwProblems(problems)
  return scripts
}

/** A quick look, and where that is in doubt PostgreSQL's parser, which takes a while to load. */
async function judge(script: Script): Promise<readonly Problem[]> {
  const found = findScriptProblems(script)
  return isInDoubt(found) ? examineScript(script) : found
}
