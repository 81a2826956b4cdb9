import { parseArgs } from 'node:util'

import { measureAutogenerate } from './autogenerate.ts'
import { measureFixture } from './fixture.ts'
import { measureLargeHistories } from './large-histories.ts'
import { formatLargeReport, formatTable } from './report.ts'
import { measureRunner } from './runner/measure-runner.ts'
import { formatCircumstances, formatRow } from './runner/runner-report.ts'
import { measureStartUp } from './start-up.ts'
import { measureTenants } from './tenants/measure-tenants.ts'
import { formatTenantsReport } from './tenants/tenants-report.ts'

/** Those that are run when none is named. The runner and the tenants install other tools, and the fixture runs a history again and again: all take their time. */
const usual = ['start-up', 'large', 'autogenerate']
const parts = [...usual, 'fixture', 'runner', 'tenants']

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    row: { type: 'string', multiple: true },
    only: { type: 'string' },
    tenants: { type: 'string' },
  },
  allowPositionals: true,
})
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (rounds !== undefined && (!Number.isInteger(rounds) || rounds < 1)) {
  throw new RangeError('--rounds takes a number from 1')
}
const unknown = positionals.find((part) => !parts.includes(part))
if (unknown !== undefined) throw new RangeError(`"${unknown}" is no benchmark; there are: ${parts.join(', ')}`)
const ofRunner = values.row !== undefined || values.only !== undefined
if (ofRunner && !positionals.includes('runner')) throw new RangeError('--row and --only are for: pnpm bench runner')
const tenantCount = Number(values.tenants ?? 1000)
if (!Number.isInteger(tenantCount) || tenantCount < 1) throw new RangeError('--tenants takes a number from 1')
if (values.tenants !== undefined && !positionals.includes('tenants')) {
  throw new RangeError('--tenants is for: pnpm bench tenants')
}

const onProgress = (line: string) => void process.stderr.write(`${line}\n`)
const wanted = new Set(positionals.length > 0 ? positionals : usual)
const startUp = wanted.has('start-up') ? await measureStartUp(rounds ?? 20, onProgress) : undefined
const large = wanted.has('large') ? await measureLargeHistories(rounds ?? 20, onProgress) : undefined
const autogenerate = wanted.has('autogenerate') ? await measureAutogenerate(rounds ?? 20) : undefined
const fixture = wanted.has('fixture') ? await measureFixture(rounds ?? 20) : undefined
const runner = wanted.has('runner')
  ? await measureRunner({
      rounds: rounds ?? 5,
      ...(values.row && { rows: values.row.flatMap((names) => names.split(',')) }),
      ...(values.only !== undefined && { only: values.only.split(',') }),
      onProgress,
      onRow: (row) => values.json || process.stdout.write(`${formatRow(row)}\n`),
    })
  : undefined
const tenants = wanted.has('tenants')
  ? await measureTenants({
      rounds: rounds ?? 3,
      tenants: tenantCount,
      onProgress,
    })
  : undefined
const tables = [
  ...(startUp ? [formatTable(startUp)] : []),
  ...(large ? [formatLargeReport(large)] : []),
  ...(autogenerate ? [formatTable(autogenerate)] : []),
  ...(fixture ? [formatTable(fixture)] : []),
  ...(runner ? [formatCircumstances(runner)] : []),
  ...(tenants ? [formatTenantsReport(tenants)] : []),
]
process.stdout.write(
  values.json
    ? `${JSON.stringify({ startUp, large, autogenerate, fixture, runner, tenants }, null, 2)}\n`
    : tables.join('\n'),
)
