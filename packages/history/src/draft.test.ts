import { describe, expect, it } from 'vitest'

import { draftRevision } from './draft.ts'
import { exampleHistory, exampleRevision } from './example-history.ts'
import { base, head, to } from './example-target.ts'

const line = exampleHistory([
  exampleRevision('a', [], { labels: ['core'] }),
  exampleRevision('b', ['a']),
  exampleRevision('x', [], { labels: ['other'] }),
  exampleRevision('c', ['b', 'x']),
])
const fork = exampleHistory([
  exampleRevision('a'),
  exampleRevision('b', ['a'], { labels: ['left'] }),
  exampleRevision('c', ['a']),
])

describe('draftRevision', () => {
  it('continues the one head, or starts an empty history', () => {
    expect(draftRevision(line)).toEqual({ ok: true, parents: ['c'], dependsOn: [], labels: [] })
    expect(draftRevision(exampleHistory([]))).toEqual({ ok: true, parents: [], dependsOn: [], labels: [] })
  })

  it('makes a base, with labels and dependencies', () => {
    const options = { head: base, labels: ['billing', 'billing'], dependsOn: ['core', 'a', 'other'] }

    expect(draftRevision(line, options)).toEqual({
      ok: true,
      parents: [],
      dependsOn: ['a', 'x'],
      labels: ['billing'],
    })
  })

  it('asks which of several heads to continue, and how to join them', () => {
    const problem = {
      code: 'SEVERAL_HEADS',
      message: 'the history has 2 heads: b "make b" (left), c "make c"',
      hint: 'choose the one to continue with --head, or join them with: pnpm migrate merge b c -d <database>',
    }

    expect(draftRevision(fork)).toEqual({ ok: false, problems: [problem] })
    expect(draftRevision(fork, { head })).toEqual({ ok: false, problems: [problem] })
    expect(draftRevision(fork, { head: { ...head, branch: 'a' } })).toMatchObject({
      problems: [{ message: expect.stringContaining('the branch "a" has 2 heads') }],
    })
    expect(draftRevision(fork, { head: { ...head, branch: 'left' } })).toMatchObject({ ok: true, parents: ['b'] })
  })

  it('starts a branch only when told to', () => {
    expect(draftRevision(line, { head: to('a') })).toEqual({
      ok: false,
      problems: [
        {
          code: 'NOT_A_HEAD',
          message: 'a "make a" is not a head: a revision after it starts a branch',
          hint: 'add --splice if that is meant, or name a head: c',
        },
      ],
    })
    expect(draftRevision(line, { head: to('a'), splice: true })).toMatchObject({ ok: true, parents: ['a'] })
    expect(draftRevision(line, { head: to('c'), splice: true })).toMatchObject({ ok: true, parents: ['c'] })
  })

  it('refuses labels that are taken, and labels that no target could name', () => {
    expect(draftRevision(line, { labels: ['core', 'head', 'new'] })).toMatchObject({
      ok: false,
      problems: [
        {
          code: 'DUPLICATE_LABEL',
          message: 'the label "core" is taken by a "make a"',
          hint: 'choose another label; to continue that branch: --head core@head',
        },
        { code: 'USAGE', message: 'the label "head" is a word of its own in targets' },
      ],
    })
  })

  it('refuses dependencies that cannot be found, and those that come before it anyway', () => {
    expect(draftRevision(line, { dependsOn: ['nowhere', 'core'] })).toMatchObject({
      ok: false,
      problems: [
        { code: 'REVISION_UNKNOWN' },
        {
          code: 'USAGE',
          message: 'the new revision comes after a "make a" anyway',
          hint: 'leave out: --depends-on core',
        },
      ],
    })
  })

  it('gives every reason at once', () => {
    const draft = draftRevision(fork, { labels: ['left'], dependsOn: ['ffff'] })

    expect(draft.ok || draft.problems.map((problem) => problem.code)).toEqual([
      'SEVERAL_HEADS',
      'DUPLICATE_LABEL',
      'REVISION_UNKNOWN',
    ])
  })
})
