import type { Problem } from '@drover/history'
import type { Enqueuing } from '@drover/fleet'

import type { ExitCode } from '../exit-code.ts'
import { type FleetOptions, locateFleet } from '../fleet.ts'
import { withPlan } from '../planning.ts'
import { describeEnqueued } from '../render/fleet.ts'
import { count } from '../render/text.ts'
import type { Session } from '../session.ts'
import { filterOf, type TenantChoice } from '../tenant-filter.ts'

interface EnqueueOptions extends FleetOptions, TenantChoice {
  readonly canary?: number
}

/** Puts the tenants that lack something into the queue. Repeating it adds nothing. */
export async function enqueueFleet(session: Session, options: EnqueueOptions, target = 'head'): Promise<ExitCode> {
  const { database, url } = await locateFleet(session, options)
  const { name } = database
  const { enqueueTenants, openQueue } = await import('@drover/fleet')
  const filter = filterOf(options, session.io.env)
  // What an upgrade would be refused for is refused here: workers look at nothing but their tenants.
  return withPlan(session.narrowedTo([database]), { direction: 'up', target, tenants: filter }, async ({ plan }) => {
    const { member, tenants } = plan.databases[0]!
    const set = member.tenants!
    await using queue = await openQueue(url, name, 'add')
    const wish = { target: tenants!.wish.target, filter, canaries: options.canary ?? 1 }
    const added = await enqueueTenants(set, queue, wish)
    session.print(...describeEnqueued(name, added, session.out))
    return session.finish({ databases: [], fleet: { database: name, ...added } }, problemsOf(name, added))
  })
}

/** Tenants that cannot be put into the queue; the others are. */
function problemsOf(database: string, { unusable, unread }: Enqueuing): readonly Problem[] {
  const [first] = unusable
  return [
    ...(first
      ? [
          {
            code: 'TENANTS_FAILED' as const,
            database,
            message: `${count(unusable.length, 'tenant')} cannot be moved; ${first.slug}: ${first.problem.message}`,
            hint: 'see what keeps them with: pnpm migrate tenant list --state unusable',
            tenants: unusable.map(({ slug }) => slug),
          },
        ]
      : []),
    ...unread.map(({ problem }) => ({ ...problem, database })),
  ]
}
