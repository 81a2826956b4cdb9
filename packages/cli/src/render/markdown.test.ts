import type { Script } from '@drover/engine'
import type { Direction, Step } from '@drover/history'
import type { ReleasePlan } from '@drover/orchestrator'
import { describe, expect, it } from 'vitest'

import { describeMarkdown } from './markdown.ts'
import { describePlanned } from './plan.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

describe('describeMarkdown', () => {
  it('has a table for each database, numbered over all of them, and names those with nothing to do', () => {
    const [plan, scripts] = example('up', { main: [['a', 'add a']], gdpr: [['b', 'add b']], test: [] })

    expect(describeMarkdown(plan, { target: 'head' }, scripts)).toBe(`### Upgrade to \`head\`

2 revisions to apply in 2 databases.

#### main

| # | revision | applies | |
| ---: | --- | --- | --- |
| 1 | \`a\` | add a | |

#### gdpr

| # | revision | applies | |
| ---: | --- | --- | --- |
| 2 | \`b\` | add b | |

Nothing to apply in test.`)
  })

  it('says that there is nothing to do', () => {
    const [plan, scripts] = example('down', { main: [] })

    expect(describeMarkdown(plan, { target: '-1' }, scripts)).toBe('### Downgrade to `-1`\n\nNothing to revert.')
  })

  it('marks what loses data, and shows the statements', () => {
    const [plan, scripts] = example('down', { main: [['a', 'add a', 'drop table `odd``name`;\ndrop table\n  b;']] })

    const text = describeMarkdown(plan, { target: 'base' }, scripts)

    expect(text).toContain('1 revision to revert in 1 database. **1 of them loses data.**')
    expect(text).toContain('| 1 | `a` | add a | **loses data** |')
    expect(text).toContain('- `a` loses data: ``` drop table `odd``name` ```\n- `a` loses data: `drop table b`')
  })

  it('lets nothing in a message be taken for Markdown, HTML, or a person', () => {
    const [plan, scripts] = example('up', { main: [['a', 'x | *y* <img src=z>\n@team [l](u) `c` \\ ~d~']] })

    expect(describeMarkdown(plan, { target: 'head' }, scripts)).toContain(
      '| 1 | `a` | x \\| \\*y\\* &lt;img src=z> @&#8203;team \\[l\\](u) \\`c\\` \\\\ \\~d\\~ | |',
    )
  })
})

describe('describePlanned', () => {
  it('marks what cannot be reverted, and what loses data', () => {
    const [plan, scripts] = example('up', { main: [['a', 'drop it', 'truncate t;', false]], test: [] })

    expect(describePlanned(plan, scripts, plain)).toEqual([
      'main: 1 revision to apply',
      '  1. a drop it (irreversible)',
      '       loses data: truncate t',
      'test: nothing to apply',
    ])
  })
})

type Row = readonly [id: string, message: string, sql?: string, reversible?: boolean]

/** A plan of databases one after the other, as far as it is rendered. */
function example(
  direction: Direction,
  databases: Readonly<Record<string, readonly Row[]>>,
): readonly [ReleasePlan, ReadonlyMap<Step, Script>] {
  const scripts = new Map<Step, Script>()
  const plans = Object.entries(databases).map(([name, rows]) => {
    const steps = rows.map(([id, message, sql = 'select 1;', reversible = true]): Step => {
      const folder = `databases/${name}/migrations/${id}`
      const revision = { id, message, folder, reversible, parents: [], dependsOn: [], labels: [], created: '' }
      const step: Step = { direction, revision }
      const statements = sql.split(';').map((text) => ({ text: text.trim(), start: 0, end: 0 }))
      scripts.set(step, { ...step, file: '', sql, statements, checksum: '' })
      return step
    })
    return { member: { database: { name, config: {} } }, steps } as unknown as ReleasePlan['databases'][number]
  })
  const segments = plans
    .filter(({ steps }) => steps.length > 0)
    .map((database) => ({ database, steps: database.steps }))
  return [{ direction, databases: plans, segments, warnings: [] }, scripts]
}
