import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { environmentOf } from '../fleet.ts'
import { connect, createAll } from '../runner/bench-databases.ts'
import { installDrover } from '../runner/install-drover.ts'
import { installPeer } from '../runner/install-peer.ts'
import { prepareServer } from '../runner/prepare-server.ts'
import { smallRevisions } from '../runner/revisions.ts'
import { runMeasured } from '../runner/run-measured.ts'
import { type BenchServer, startBenchServer } from '../server.ts'
import { compareTenantTools, type TenantsReport } from './tenants-report.ts'
import type { MeasuredSize, Round } from './tenant-steps.ts'
import { drizzle, drizzleLoop, drover, floor, type TenantTool } from './tenant-tools.ts'

/** What is measured. */
export interface TenantsOptions {
  readonly rounds: number
  /** How many tenants all tools are given; Drover and the floor also get ten times as many. */
  readonly tenants: number
  readonly onProgress: (line: string) => void
}

/** What it costs to keep the schemas of many tenants up to date, for Drover, for the loop that people write, and for the work alone. */
export async function measureTenants({ rounds, tenants, onProgress }: TenantsOptions): Promise<TenantsReport> {
  await installDrover(onProgress)
  await installPeer(drizzle.name, drizzle.packages, onProgress)
  await using server = await startBenchServer()
  await prepareServer(server)
  const few = await measureSize(server, tenants, [floor, drover, drizzleLoop], rounds, onProgress)
  const many = await measureSize(server, tenants * 10, [floor, drover], rounds, onProgress)
  return compareTenantTools([few, many], rounds)
}

/** All tools once per round, in turns; one that fails, or leaves other schemas than the floor, is out. */
async function measureSize(
  server: BenchServer,
  tenants: number,
  tools: readonly TenantTool[],
  rounds: number,
  onProgress: TenantsOptions['onProgress'],
): Promise<MeasuredSize> {
  const slugs = Array.from({ length: tenants }, (_, at) => `t${String(at).padStart(6, '0')}`)
  const measured = new Map(tools.map((tool) => [tool, [] as Round[]]))
  const reasons = new Map<TenantTool, string>()
  let expected: string | undefined
  for (let round = 1; round <= rounds; round += 1) {
    for (const tool of tools.filter((one) => !reasons.has(one))) {
      onProgress(`${tenants} tenants, round ${round} of ${rounds}: ${tool.name}`)
      try {
        const { costs, schema } = await playRound(server, tool, slugs, `${tool.name}-${tenants}-${round}`)
        expected ??= schema
        if (schema !== expected) throw new Error('leaves other schemas than the floor')
        measured.get(tool)!.push(costs)
      } catch (error) {
        reasons.set(tool, error instanceof Error ? error.message : String(error))
        onProgress(`${tenants} tenants: ${tool.name} is out: ${reasons.get(tool)}`)
      }
    }
  }
  return {
    tenants,
    tools: tools.map((tool) => {
      const reason = reasons.get(tool)
      return { tool: tool.name, ...(reason === undefined ? { rounds: measured.get(tool)! } : { reason }) }
    }),
  }
}

/** All steps of one tool, in a database of its own. */
async function playRound(
  server: BenchServer,
  tool: TenantTool,
  slugs: readonly string[],
  name: string,
): Promise<{ readonly costs: Round; readonly schema: string }> {
  await using control = connect({ name: 'postgres', url: server.urlOf('postgres') })
  const place = { name, url: server.urlOf(name) }
  await createAll(control, [place])
  await using connection = connect(place)
  await connection.send(`create table tenants (slug text primary key);
insert into tenants values ${slugs.map((slug) => `('${slug}')`).join(', ')};
analyze tenants`)
  const revisions = smallRevisions(11)
  const folderOf = (count: number, had: number) => {
    const folder = join(server.scratch, 'tenants', name, String(count))
    mkdirSync(folder, { recursive: true })
    tool.write(folder, { slugs, revisions: revisions.slice(0, count), had })
    return folder
  }
  const env = { ...environmentOf(server, process.env['PATH']), HOME: server.scratch }
  const run = async (cwd: string, line: string) => {
    await control.send('checkpoint')
    return runMeasured(server, { cwd, env, lines: [line] })
  }
  const [ten, eleven] = [folderOf(10, 0), folderOf(11, 10)]
  const fromNothing = await run(ten, tool.all(place.url))
  // The server's own housekeeping is off, and without its statistics the plans for the catalogue are a matter of luck.
  await connection.send('vacuum analyze')
  const oneMore = await run(eleven, tool.all(place.url))
  await connection.send('vacuum analyze')
  const nothing = await run(eleven, tool.nothing?.(place.url) ?? tool.all(place.url))
  const nothingForOne = await run(eleven, tool.one(place.url, slugs[0]!))
  const costs = { 'from-nothing': fromNothing, 'one-more': oneMore, nothing, 'nothing-for-one': nothingForOne }
  return { costs, schema: await readSchema(connection, slugs.length) }
}

/**
 * Makes sure that all tenants have the same columns and indexes, whatever the tool keeps beside them, so that nobody wins by doing less.
 * @throws {Error} when they have not
 */
async function readSchema(connection: ReturnType<typeof connect>, tenants: number): Promise<string> {
  const found = await connection.send(`select schema, count(*)::int as tenants
from (
  select md5(string_agg(concat_ws(' ', relname, relkind, attname, format_type(atttypid, atttypmod), attnotnull), ',' order by relname, attnum)) as schema
  from pg_namespace
  join pg_class on relnamespace = pg_namespace.oid and relname not like '\\_\\_drizzle%'
  join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
  where nspname like 'tenant\\_%'
  group by nspname
) as each
group by 1`)
  const [row, ...others] = found
  if (others.length > 0 || row?.['tenants'] !== tenants) throw new Error('leaves tenants that are not alike')
  return String(row['schema'])
}
