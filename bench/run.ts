import { parseArgs } from 'node:util'

import { measureAutogenerate } from './autogenerate.ts'
import { measureLargeHistories } from './large-histories.ts'
import { formatLargeReport, formatTable } from './report.ts'
import { measureStartUp } from './start-up.ts'

const parts = ['start-up', 'large', 'autogenerate']

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '20' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a number from 1')
const unknown = positionals.find((part) => !parts.includes(part))
if (unknown !== undefined) throw new RangeError(`"${unknown}" is no benchmark; there are: ${parts.join(', ')}`)

const wanted = new Set(positionals.length > 0 ? positionals : parts)
const startUp = wanted.has('start-up') ? await measureStartUp(rounds) : undefined
const large = wanted.has('large') ? await measureLargeHistories(rounds) : undefined
const autogenerate = wanted.has('autogenerate') ? await measureAutogenerate(rounds) : undefined
const tables = [
  ...(startUp ? [formatTable(startUp)] : []),
  ...(large ? [formatLargeReport(large)] : []),
  ...(autogenerate ? [formatTable(autogenerate)] : []),
]
process.stdout.write(values.json ? `${JSON.stringify({ startUp, large, autogenerate }, null, 2)}\n` : tables.join('\n'))
