import { examineScript, readScript, type Script } from '@drover/engine'
import { DroverError, type Problem } from '@drover/history'
import { type LintedScript, lintScripts } from '@drover/lint'
import { problemsOf, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { type Choice, chooseRevisions } from '../lint-choice.ts'
import { parseRangeOption } from '../ranges.ts'
import { type Linted, lintJson, lintLines, lintProblems } from '../render/lint.ts'
import type { CommonOptions, Session } from '../session.ts'
import { readTargets } from '../targets.ts'

interface LintOptions extends CommonOptions {
  readonly range?: string
  readonly pending?: boolean
  readonly down?: boolean
}

/**
 * Looks in revisions for statements that are unsafe on a database in use, and says the safe way. Needs no server, unless it is to
 * look at what is pending.
 */
export async function lint(session: Session, options: LintOptions, ...texts: readonly string[]): Promise<ExitCode> {
  const range = parseRangeOption(options.range)
  refuseSeveralWishes(texts, options)
  const { workspace, selected } = await session.workspace({ mirrors: false })
  const targets = readTargets(workspace, texts)
  const isPending = options.pending === true
  const choices = await chooseRevisions(session, workspace, selected, { targets, range, isPending })
  const found: Linted[] = []
  for (const choice of choices) found.push(await lintChoice(workspace, choice, options.down === true))

  for (const one of found) session.print(...lintLines(one, session.out))
  const problems = found.flatMap(lintProblems)
  return session.finish({ databases: found.map(lintJson) }, problems, problems.length === 0 ? 0 : 4)
}

function refuseSeveralWishes(texts: readonly string[], { range, pending }: LintOptions): void {
  const wishes = [texts.length > 0, range !== undefined, pending === true].filter(Boolean)
  if (wishes.length < 2) return
  throw new DroverError({
    code: 'USAGE',
    message: 'revisions that are named, --range and --pending are three ways of saying which revisions are meant',
    hint: 'use one of them: pnpm migrate lint --help',
  })
}

async function lintChoice(
  workspace: Workspace,
  { database, revisions, problems }: Choice,
  isDownToo: boolean,
): Promise<Linted> {
  const notes: string[] = []
  const faults: Problem[] = [...problems]
  const scripts: Script[] = []
  for (const revision of revisions) {
    if (revision.language === 'typescript') {
      notes.push(`${revision.folder} is skipped: what its code does cannot be read from it`)
      continue
    }
    for (const direction of isDownToo && revision.reversible ? (['up', 'down'] as const) : (['up'] as const)) {
      try {
        const script = await readScript(workspace.root, revision, direction)
        const found = await examineScript(script)
        const isUnfilled = found.some(({ code }) => code === 'UNFILLED')
        if (isUnfilled) notes.push(`${script.file} is skipped: it is not filled in yet`)
        else if (found.length === 0) scripts.push(script)
        // What cannot be run cannot be judged either.
        else faults.push(...found.map((problem) => ({ ...problem, database: database.name })))
      } catch (error) {
        faults.push(...problemsOf(error, database.name))
      }
    }
  }
  const linted: readonly LintedScript[] = await lintScripts(scripts, database.config.lint?.allow ?? [])
  return {
    database,
    revisions,
    linted,
    notes: [...notes, ...linted.flatMap((one) => one.notes)],
    problems: [
      ...faults,
      ...linted.flatMap((one) => one.problems.map((problem) => ({ ...problem, database: database.name }))),
    ],
  }
}
