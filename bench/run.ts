import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { prepareFleet } from './fleet.ts'
import { measure, type Subject } from './measure.ts'
import { compare, formatTable } from './report.ts'

const baseline = 'node -e 0'

/** Wall ratios to the baseline. */
const aims = { 'migrate --version': 2, 'migrate current': 5 }

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '20' } },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a number from 1')

const path = process.env['PATH']
await using fleet = await prepareFleet(path)
const migrate = (...args: readonly string[]): Subject => ({
  name: `migrate ${args.join(' ')}`,
  args: [fleet.script, ...args],
  env: fleet.env,
})
const subjects: readonly Subject[] = [
  { name: baseline, args: ['-e', '0'], env: { PATH: path ?? '' } },
  { name: 'driver alone', args: [join(import.meta.dirname, 'driver-alone.ts')], env: fleet.env },
  migrate('--version'),
  migrate('--help'),
  migrate('history'),
  migrate('current'),
  migrate('upgrade'),
]
const place = { cwd: fleet.root, scratchFile: join(fleet.scratch, 'cpu') }

// Fills the compile cache, and the caches of the operating system.
await measure(subjects, { ...place, rounds: 2 })
const report = compare(await measure(subjects, { ...place, rounds }), baseline, aims)
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : formatTable(report))
