import { describe, expect, it } from 'vitest'

import { type Command, conformance, type ConformanceCase } from './conformance-cases.ts'
import { draftRevision } from './draft.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'
import { findRevision } from './find-revision.ts'
import { ancestorsOf, buildHistory, type History } from './graph.ts'
import { checkMerge } from './merge.ts'
import { planDowngrade, planUpgrade } from './plan.ts'
import type { Problem } from './problem.ts'
import { resolveRange } from './range.ts'
import type { Revision } from './revision.ts'
import { planStamp } from './stamp.ts'
import { parseRange, parseTarget, type Target } from './target.ts'

describe.each(conformance)('on $title', ({ graph, cases }) => {
  const revisions = readGraph(graph)

  it.each(cases.map((one) => ({ one, says: describeCase(one) })))('$says', ({ one }) => {
    const [command, typed, applied, expected] = one

    expect(command === 'build' ? build(revisions) : run(exampleHistory(revisions), command, typed, applied)).toBe(
      expected,
    )
  })
})

it('has at least 220 cases, none of them twice', () => {
  const all = conformance.flatMap(({ graph, cases }) =>
    cases.map(([command, typed, applied]) => [graph, command, typed, applied].join(' | ')),
  )

  expect(all.length).toBeGreaterThanOrEqual(220)
  expect(new Set(all).size).toBe(all.length)
})

function describeCase([command, typed, applied, expected]: ConformanceCase): string {
  const where = applied === '' ? '' : ` at ${applied}`
  return `${command} ${typed}${where}: ${expected === '' ? 'nothing' : expected}`
}

function build(revisions: readonly Revision[]): string {
  const result = buildHistory(revisions)
  return result.ok ? '' : codesOf(result.problems)
}

function run(history: History, command: Exclude<Command, 'build'>, typed: string, rows: string): string {
  const applied = readApplied(history, rows)
  const words = expand(typed)
    .split(' ')
    .filter((word) => word !== '')
  switch (command) {
    case 'up':
    case 'down': {
      const target = readTarget(words[0]!)
      if (!isTarget(target)) return target.code
      const plan = command === 'up' ? planUpgrade(history, applied, target) : planDowngrade(history, applied, target)
      return plan.kind === 'refused' ? codesOf(plan.problems) : namesOf(plan.steps.map((step) => step.revision.id))
    }
    case 'stamp': {
      const purge = words[0] === '--purge'
      const targets = words.slice(purge ? 1 : 0).map(readTarget)
      const invalid = targets.flatMap((target) => (isTarget(target) ? [] : [target]))
      if (invalid.length > 0) return codesOf(invalid)
      const plan = planStamp(history, applied, targets.filter(isTarget), { purge })
      if (plan.kind === 'refused') return codesOf(plan.problems)
      return [...signed('-', plan.forget), ...signed('+', plan.record)].join(' ')
    }
    case 'merge': {
      const found = words.map((word) => findRevision(history, word))
      const unknown = found.flatMap((one) => (one.ok ? [] : [one.problem]))
      if (unknown.length > 0) return codesOf(unknown)
      const check = checkMerge(
        history,
        found.flatMap((one) => (one.ok ? [one.revision] : [])),
      )
      return check.ok ? namesOf(check.parents) : codesOf(check.problems)
    }
    case 'show':
    case 'sql-up':
    case 'sql-down': {
      const uses = { show: 'show', 'sql-up': 'up', 'sql-down': 'down' } as const
      const parsed = parseRange(words[0]!)
      if (!parsed.ok) return parsed.problem.code
      const result = resolveRange(history, parsed.range, uses[command])
      return result.ok ? namesOf(result.revisions.map((revision) => revision.id)) : result.problem.code
    }
    case 'draft': {
      const splice = words[0] === '--splice'
      const word = words[splice ? 1 : 0]
      const target = word === undefined ? undefined : readTarget(word)
      if (target && !isTarget(target)) return target.code
      const draft = draftRevision(history, { splice, ...(target && { head: target }) })
      return draft.ok ? namesOf(draft.parents) : codesOf(draft.problems)
    }
  }
}

/** Reads the notation that `ConformanceGraph` describes. */
function readGraph(graph: string): readonly Revision[] {
  const revisions = new Map<string, { parents: string[]; labels: string[]; dependsOn: string[] }>()
  const readRevision = (text: string): string => {
    const [name = '', ...marks] = text.split(/(?=[#~])/)
    const id = expand(name)
    const revision = revisions.get(id) ?? { parents: [], labels: [], dependsOn: [] }
    for (const mark of marks) {
      if (mark.startsWith('#')) revision.labels.push(mark.slice(1))
      else revision.dependsOn.push(expand(mark.slice(1)))
    }
    revisions.set(id, revision)
    return id
  }
  for (const chain of graph.split(';').filter((part) => part.trim() !== '')) {
    let below: readonly string[] = []
    for (const link of chain.split('>')) {
      const ids = link.split('&').map((text) => readRevision(text.trim()))
      for (const id of ids) revisions.get(id)!.parents.push(...below)
      below = ids
    }
  }
  return [...revisions].map(([id, { parents, ...fields }]) => exampleRevision(id, parents, fields))
}

/** Rows with all that they come after; behind `=`, as they are. */
function readApplied(history: History, rows: string): ReadonlySet<string> {
  const words = expand(rows)
    .split(' ')
    .filter((word) => word !== '')
  const alone = words.filter((word) => word.startsWith('=')).map((word) => word.slice(1))
  return new Set([...ancestorsOf(history, words), ...alone])
}

function readTarget(text: string): Target | Problem {
  const parsed = parseTarget(text)
  return parsed.ok ? parsed.target : parsed.problem
}

function isTarget(value: Target | Problem): value is Target {
  return 'steps' in value
}

/** Makes ids of names: `b1` stands for `b1b1b1b1b1b1`. */
function expand(text: string): string {
  return text.replaceAll(/\b[a-f]\d\b/g, (name) => name.repeat(6))
}

/** Makes names of ids. */
function nameOf(id: string): string {
  const name = id.slice(0, 2)
  return expand(name) === id ? name : id
}

function namesOf(ids: readonly string[]): string {
  return ids.map(nameOf).join(' ')
}

function signed(sign: string, ids: readonly string[]): readonly string[] {
  return ids.map((id) => sign + nameOf(id))
}

function codesOf(problems: readonly Problem[]): string {
  return problems.map((problem) => problem.code).join(' ')
}
