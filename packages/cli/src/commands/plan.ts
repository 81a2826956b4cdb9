import type { Direction, Problem } from '@drover/history'
import { describePlanFile, readScripts, type ReleasePlan } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { writePlanFile } from '../plan-file.ts'
import { defaultTargets, withPlan } from '../planning.ts'
import { planJson } from '../render/json.ts'
import { describeMarkdown } from '../render/markdown.ts'
import { describePlanned } from '../render/plan.ts'
import { count } from '../render/text.ts'
import type { CommonOptions, Session } from '../session.ts'

interface PlanOptions extends CommonOptions {
  readonly downgrade?: boolean
  readonly out?: string
  readonly check?: boolean
  readonly markdown?: boolean
  readonly allowOutOfOrder?: boolean
}

/** Shows what an upgrade or a downgrade would do, writes it down if asked to, and changes no database. */
export async function plan(session: Session, options: PlanOptions, target?: string): Promise<ExitCode> {
  const direction: Direction = options.downgrade ? 'down' : 'up'
  const { allowOutOfOrder = false } = options
  const wanted = { direction, target: target ?? defaultTargets[direction], allowOutOfOrder }
  return withPlan(session, wanted, async ({ workspace, plan: made, request }) => {
    const steps = made.databases.map((database) => ({ name: database.member.database.name, steps: database.steps }))
    const scripts = await readScripts(workspace.root, steps)
    const file = describePlanFile(made, request, scripts)
    if (options.markdown) session.print(describeMarkdown(made, request.target, scripts))
    else session.print(...describePlanned(made, scripts, session.out))
    if (options.out !== undefined) {
      writePlanFile(session, options.out, file)
      const command = direction === 'up' ? 'upgrade' : 'downgrade'
      session.progress(`wrote ${options.out}; run it with: pnpm migrate ${command} --plan ${options.out}`)
    }
    const problems = options.check ? findPending(made) : []
    return session.finish({ databases: made.databases.map(planJson), plan: file }, problems)
  })
}

function findPending({ direction, databases }: ReleasePlan): readonly Problem[] {
  const [word, command] = direction === 'up' ? ['pending', 'upgrade'] : ['to be reverted', 'downgrade']
  return databases
    .filter(({ steps }) => steps.length > 0)
    .map(({ member, steps }) => ({
      code: 'PENDING',
      database: member.database.name,
      message: `${count(steps.length, 'revision')} ${word}`,
      hint: `pnpm migrate ${command} -d ${member.database.name}`,
    }))
}
