import type { Direction, Phase, Problem } from '@drover/history'
import { countBehind, describePlanFile, readScripts, type ReleasePlan } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { writePlanFile } from '../plan-file.ts'
import { defaultTargets, withPlan } from '../planning.ts'
import { planJson, plannedHooksJson } from '../render/json.ts'
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
  readonly phase?: Phase
}

/** Shows what an upgrade or a downgrade would do, writes it down if asked to, and changes no database. */
export async function plan(session: Session, options: PlanOptions, target?: string): Promise<ExitCode> {
  const direction: Direction = options.downgrade ? 'down' : 'up'
  const { allowOutOfOrder = false, phase } = options
  const tenants = options.out === undefined ? undefined : ('none' as const)
  const wanted = { direction, target: target ?? defaultTargets[direction], allowOutOfOrder, phase, tenants }
  return withPlan(session, wanted, async ({ workspace, plan: made, request }) => {
    const steps = made.databases.map((database) => ({ name: database.member.database.name, steps: database.steps }))
    const scripts = await readScripts(workspace.root, steps)
    const file = describePlanFile(made, request, scripts)
    const hooks = await session.runHooks(workspace)
    if (options.markdown) session.print(describeMarkdown(made, request, scripts, hooks))
    else session.print(...describePlanned(made, scripts, session.out, hooks))
    if (options.out !== undefined) {
      writePlanFile(session, options.out, file)
      const command = direction === 'up' ? 'upgrade' : 'downgrade'
      session.progress(`wrote ${options.out}; run it with: pnpm migrate ${command} --plan ${options.out}`)
    }
    const problems = options.check ? findPending(made, phase) : []
    const body = { databases: made.databases.map(planJson), ...plannedHooksJson(made, hooks), plan: file }
    return session.finish(body, problems)
  })
}

function findPending({ direction, databases }: ReleasePlan, phase: Phase | undefined): readonly Problem[] {
  const [word, command] = direction === 'up' ? ['pending', 'upgrade'] : ['to be reverted', 'downgrade']
  const tenants = databases.flatMap(({ member, tenants: own }): readonly Problem[] => {
    const behind = own ? countBehind(own.survey) : 0
    const { name } = member.database
    if (behind === 0) return []
    return [
      {
        code: 'PENDING',
        database: name,
        message: `revisions of ${count(behind, 'tenant')} ${word}`,
        hint: `pnpm migrate tenant ${command} -d ${name}`,
      },
    ]
  })
  const own = databases
    .filter(({ steps }) => steps.length > 0)
    .map(({ member, steps }): Problem => ({
      code: 'PENDING',
      database: member.database.name,
      message: `${count(steps.length, 'revision')} ${word}`,
      hint: `pnpm migrate ${command}${phase ? ` --phase ${phase}` : ''} -d ${member.database.name}`,
    }))
  return [...own, ...tenants]
}
