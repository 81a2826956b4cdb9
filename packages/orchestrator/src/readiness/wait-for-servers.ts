import { setTimeout as sleep } from 'node:timers/promises'

import { probeServer } from '@drover/engine'
import type { Problem } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { Database } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'

/** How long to wait for servers. */
export interface Patience {
  /** How often each is tried, from 1. */
  readonly tries: number
  /** From the end of one try to the next one, in milliseconds. */
  readonly intervalMs: number
}

/** What has become of waiting for the server of one database. */
export interface Arrival {
  readonly database: Database
  /** `database-missing`: the server answers, and does not have the database. */
  readonly state: 'ready' | 'database-missing' | 'unreachable'
  readonly tries: number
  readonly waitedMs: number
  /** Of the last try. None where the server answers. */
  readonly problems: readonly Problem[]
}

/** A try that failed and is going to be made again. */
export interface Delay {
  readonly database: Database
  /** How many tries have been made. */
  readonly tries: number
  readonly problem: Problem
}

/**
 * Waits until the servers of all databases answer, side by side. A server that answers without having the database is there.
 * What does not get better by waiting, such as a wrong password, ends the waiting for all: they will not all come any more.
 * @param onDelay called for each try that is going to be made again
 */
export async function waitForServers(
  located: readonly Located[],
  patience: Patience,
  onDelay: (delay: Delay) => void,
): Promise<readonly Arrival[]> {
  const hopeless = new AbortController()
  return Promise.all(located.map((one) => waitForOne(one, patience, onDelay, hopeless)))
}

async function waitForOne(
  { database, url }: Located,
  patience: Patience,
  onDelay: (delay: Delay) => void,
  hopeless: AbortController,
): Promise<Arrival> {
  const started = performance.now()
  for (let tries = 1; ; tries += 1) {
    const probe = await probeServer(url)
    const so = { database, tries, waitedMs: performance.now() - started }
    if (probe.kind !== 'failed') return { ...so, state: probe.kind, problems: [] }
    const problems = problemsOf(probe.error, database.name)
    if (!probe.mayPass) hopeless.abort()
    if (tries >= patience.tries || hopeless.signal.aborted) return { ...so, state: 'unreachable', problems }
    onDelay({ database, tries, problem: problems[0]! })
    await pause(patience.intervalMs, hopeless.signal)
    if (hopeless.signal.aborted) return { ...so, state: 'unreachable', problems }
  }
}

/** Ends when the time is over, or with the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
