import type { Enqueuing, FleetEvent, FleetStatus, JobCounts, Setback, WorkOutcome } from '@drover/fleet'

import type { Style } from './style.ts'
import { describeTenantsEvent, firstOf, someOf } from './tenants.ts'
import { columns, count, grouped } from './text.ts'

/** What was put into the queue. */
export function describeEnqueued(name: string, added: Enqueuing, style: Style): readonly string[] {
  const { release, isJoined, total, upToDate, present, failed, canaries } = added
  const title = style.strong(name)
  if (total === 0) return [`${title}: no tenants`]
  if (added.added === 0 && present + failed === 0)
    return [`${title}: ${count(total, 'tenant')}, up to date, nothing to do`]
  const beside = [
    ...(present > 0 ? [`${grouped(present)} there already`] : []),
    ...(failed > 0 ? [`${grouped(failed)} failed before and left to "fleet retry"`] : []),
    ...(upToDate > 0 ? [`${grouped(upToDate)} up to date`] : []),
  ].join(', ')
  const put = `put ${count(added.added, 'tenant')} into the queue${beside === '' ? '' : `; ${beside}`}`
  return [
    `${title}: ${put}`,
    `  release ${release}${isJoined ? ', which was under way' : ''}, to ${added.revisions.join(', ')}`,
    ...(canaries.length > 0 ? [`  first ${someOf(canaries)}, then the others`] : []),
  ]
}

/** How far a release has come: one row for each server, fit for a screen whatever the number of tenants. */
export function describeFleet(name: string, status: FleetStatus, style: Style): readonly string[] {
  const { release, revisions, servers, ratePerSecond, canaries, failed, waiting } = status
  const isSingle = servers.length < 2
  const rate = ratePerSecond > 0 ? `, ${ratePerSecond.toFixed(1)}/s` : ''
  const rows = [
    ['', ...(isSingle ? [] : ['server']), 'queued', 'active', 'done', 'failed', 'waiting', 'cancelled'],
    ...servers.map((server) => ['', ...(isSingle ? [] : [server.name]), ...countCells(server)]),
  ]
  const isHeld = canaries.length > 0 && servers.some(({ queued }) => queued > 0)
  return [
    `${style.strong(name)}: release ${release} to ${revisions.join(', ')}${rate}`,
    ...columns(rows),
    ...(isHeld ? [`  the others wait for ${someOf(canaries.map(({ slug }) => slug))}`] : []),
    ...nameSetbacks(failed, 'failed', style),
    ...nameSetbacks(waiting, 'waiting', style),
  ]
}

function countCells({ queued, active, done, failed, waiting, cancelled }: JobCounts): readonly string[] {
  return [queued, active, done, failed, waiting, cancelled].map(grouped)
}

function nameSetbacks(setbacks: readonly Setback[], word: string, style: Style): readonly string[] {
  return firstOf(setbacks, ({ slug, problem }) => `${style.bad(word)} ${slug}: ${problem.message}`)
}

/** What happens while a worker works, as a line of progress. */
export function describeFleetEvent(event: FleetEvent, database: string, style: Style): string {
  switch (event.type) {
    case 'fleet-progress': {
      const { done, failed, ratePerSecond } = event
      const bad = failed > 0 ? `, ${grouped(failed)} failed` : ''
      return `${database}  ${count(done, 'tenant')} done${bad}, ${ratePerSecond.toFixed(1)}/s`
    }
    case 'queue-lost':
      return `${database}  ${style.warn('later')} ${event.problem.message}`
    default:
      return describeTenantsEvent(event, database, style)
  }
}

/** What a worker has done. */
export function describeWork(name: string, { done, revisions, failed, isInterrupted }: WorkOutcome): string {
  return [
    `${name}: ${count(done, 'tenant')} done with ${count(revisions, 'revision')}`,
    ...(failed.length > 0 ? [`${grouped(failed.length)} failed`] : []),
    ...(isInterrupted ? ['told to stop'] : []),
  ].join(', ')
}
