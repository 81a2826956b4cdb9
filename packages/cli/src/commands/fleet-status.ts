import type { ExitCode } from '../exit-code.ts'
import { type FleetOptions, locateFleet, openExisting } from '../fleet.ts'
import { describeFleet } from '../render/fleet.ts'
import { count } from '../render/text.ts'
import type { Session } from '../session.ts'

/** Shows how far the last release has come. */
export async function fleetStatus(session: Session, options: FleetOptions): Promise<ExitCode> {
  const place = await locateFleet(session, options)
  const { name } = place.database
  await using queue = await openExisting(place)
  const status = await queue?.status()
  session.print(...(status ? describeFleet(name, status, session.out) : [`${name}: nothing was ever in the queue`]))
  return session.finish({ databases: [], fleet: { database: name, ...(status ?? { release: null }) } })
}

/** Takes out of the queue what nobody has begun. */
export async function cancelFleet(session: Session, options: FleetOptions): Promise<ExitCode> {
  const place = await locateFleet(session, options)
  const { name } = place.database
  await using queue = await openExisting(place)
  const cancelled = (await queue?.cancel()) ?? 0
  const status = await queue?.status()
  session.print(`${name}: ${count(cancelled, 'tenant')} taken out of the queue`)
  if (status) session.print(...describeFleet(name, status, session.out))
  return session.finish({ databases: [], fleet: { database: name, cancelled, ...(status ?? { release: null }) } })
}

/** Puts back into the queue what has failed in the last release. */
export async function retryFleet(session: Session, options: FleetOptions): Promise<ExitCode> {
  const place = await locateFleet(session, options)
  const { name } = place.database
  await using queue = await openExisting(place)
  const retried = (await queue?.retry()) ?? 0
  session.print(
    retried === 0
      ? `${name}: no tenant has failed, nothing to do`
      : `${name}: ${count(retried, 'tenant')} put back into the queue`,
  )
  return session.finish({ databases: [], fleet: { database: name, retried } })
}
