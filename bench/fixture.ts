import { join } from 'node:path'

import { createThrowawayDatabase, pickServer } from '@drover/server'
import { migratedDatabase } from '@drover/testing'
import postgres from 'postgres'

import type { Samples } from './measure.ts'
import { compare, type Report } from './report.ts'

/** What everything else is compared with: what somebody would write who has a migrated template. */
const baseline = 'by hand'

/** Wall ratios to the baseline. */
const aims = { migratedDatabase: 1.3 }

/** The database that is made. */
const database = 'gdpr'

/** How long it takes to make and drop a migrated database for a test, beside copying a template by hand and running the history. */
export async function measureFixture(rounds: number): Promise<Report> {
  // As in a test run: it does not wait for the disk.
  await using picked = await pickServer({ ...process.env, DROVER_TEST_SERVER: 'embedded' })
  const server = `${picked.url}?sslmode=disable`
  const options = { root: join(import.meta.dirname, '..'), server }
  const sql = postgres(server, { max: 1 })
  try {
    // Makes the template.
    await (await migratedDatabase(database, options)).drop()
    const [row] = await sql`select datname from pg_database where starts_with(datname, 'drover_template_')`
    const template = String(row!['datname'])
    const subjects: Readonly<Record<string, () => Promise<unknown>>> = {
      [baseline]: async () => {
        const copy = await createThrowawayDatabase(server, { template })
        await copy[Symbol.asyncDispose]()
      },
      'by hand, connected': async () => {
        await sql`create database by_hand template ${sql(template)} strategy wal_log`
        await sql`drop database by_hand with (force)`
      },
      migratedDatabase: async () => (await migratedDatabase(database, options)).drop(),
      'the history again': async () => (await migratedDatabase(database, { ...options, fresh: true })).drop(),
    }
    await time(subjects, 2)
    return compare(await time(subjects, rounds), baseline, aims)
  } finally {
    await sql.end()
  }
}

/** In turns, so that whatever else the machine does falls on all of them alike. */
async function time(
  subjects: Readonly<Record<string, () => Promise<unknown>>>,
  rounds: number,
): Promise<ReadonlyMap<string, Samples>> {
  const samples = new Map(
    Object.keys(subjects).map((name) => [name, { wallMs: [] as number[], cpuMs: [] as number[] }]),
  )
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(subjects)) {
      const [started, before] = [performance.now(), process.cpuUsage()]
      await run()
      const { user, system } = process.cpuUsage(before)
      samples.get(name)!.wallMs.push(performance.now() - started)
      samples.get(name)!.cpuMs.push((user + system) / 1000)
    }
  }
  return samples
}
