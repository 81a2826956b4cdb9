import { ConnectionUrl, openConnection } from '@drover/engine'
import { buildHistory } from '@drover/history'
import type { DatabaseStamp, Member } from '@drover/orchestrator'
import { describe, expect, it } from 'vitest'

import { describeStampOutcomes, describeStamps, stampOutcomeJson, stampPlanJson } from './stamp.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})
const [one, two, gone] = ['111111111111', '222222222222', '999999999999'] as const

describe('describeStamps', () => {
  it('says what is forgotten and what is recorded, in this order', () => {
    const purge = stampOf([two, one], [two, one], [one])

    expect(describeStamps([purge], 'will', plain)).toEqual([
      'main: will forget 2 revisions, without reverting',
      `  ${two} second`,
      `  ${one} first`,
      'main: will record 1 revision, without running',
      `  ${one} first`,
    ])
  })

  it('names a revision that no file knows by its id', () => {
    expect(describeStamps([stampOf([gone], [gone], [])], 'would', plain)).toEqual([
      'main: would forget 1 revision, without reverting',
      `  ${gone} (its folder is missing)`,
    ])
  })

  it('mentions a database in which nothing changes only when somebody wants to know what would happen', () => {
    const empty = stampOf([one], [], [])

    expect(describeStamps([empty], 'would', plain)).toEqual([`main: nothing to change, at ${one}`])
    expect(describeStamps([empty], 'will', plain)).toEqual([])
  })
})

describe('describeStampOutcomes', () => {
  it('has a line for each database, with where it stands now', () => {
    const lines = describeStampOutcomes(
      [
        { stamp: stampOf([], [], [one, two]), end: 'done' },
        { stamp: stampOf([two, one], [two, one], []), end: 'done' },
        { stamp: stampOf([two, one], [two, one], [one]), end: 'done' },
        { stamp: stampOf([], [], []), end: 'nothing-to-do' },
        { stamp: stampOf([], [], [one]), end: 'failed' },
        { stamp: stampOf([], [], [one]), end: 'not-tried' },
      ],
      plain,
    )

    expect(lines).toEqual([
      `main  2 revisions recorded, now at ${two}`,
      'main  2 revisions forgotten, now at base',
      `main  2 revisions forgotten, 1 revision recorded, now at ${one}`,
      'main  nothing to change, at base',
      'main  failed: nothing was recorded',
      'main  not tried',
    ])
  })
})

describe('stampPlanJson and stampOutcomeJson', () => {
  it('have steps, and where the database stands before or after', () => {
    const stamp = stampOf([two], [two], [one])

    expect(stampPlanJson(stamp)).toMatchObject({
      name: 'main',
      targets: [{ current: [two], steps: [forgotten('planned'), recorded('planned')] }],
    })
    expect(stampOutcomeJson({ stamp, end: 'done' })).toMatchObject({
      targets: [
        { current: [one], pending: [two], state: 'behind', steps: [forgotten('forgotten'), recorded('recorded')] },
      ],
    })
  })

  it.each([
    ['failed', 'failed'],
    ['not-tried', 'skipped'],
  ] as const)('leave the database where it was when the stamp %s', (end, status) => {
    const stamp = stampOf([two], [two], [one])

    expect(stampOutcomeJson({ stamp, end })).toMatchObject({
      targets: [{ current: [two], steps: [forgotten(status), recorded(status)] }],
    })
  })
})

function forgotten(status: string) {
  return { direction: 'down', revision: two, message: 'second', status }
}

function recorded(status: string) {
  return { direction: 'up', revision: one, message: 'first', status }
}

/** The stamp of a database in which `applied` is applied. */
function stampOf(applied: readonly string[], forget: readonly string[], record: readonly string[]): DatabaseStamp {
  const member = memberOf(applied)
  return { member, forget, record: record.map((id) => member.history.byId.get(id)!) }
}

/** A database whose history is two revisions. Nothing is ever sent on its connection. */
function memberOf(applied: readonly string[]): Member {
  const common = { dependsOn: [], labels: [], created: '2026-11-20T10:00:00Z', folder: 'f', reversible: true }
  const built = buildHistory([
    { ...common, id: one, parents: [], message: 'first' },
    { ...common, id: two, parents: [one], message: 'second' },
  ])
  if (!built.ok) throw new Error('a line of revisions is a history')
  const url = ConnectionUrl.parse('postgres://nobody@127.0.0.1:9/main', 'the test')
  const database = {
    name: 'main',
    folder: 'databases/main',
    migrations: 'databases/main/migrations',
    objects: 'databases/main/objects',
    snapshot: 'databases/main/schema.sql',
    config: {
      name: 'main',
      aliases: [],
      after: [],
      schema: 'schema.ts',
      url: [],
      database: 'main',
      migrations: 'migrations',
      objects: 'objects',
      protected: false,
      foreign: [],
    },
  }
  return {
    database,
    located: { database, url, development: false },
    history: built.history,
    connection: openConnection(url),
    state: {
      applied: applied.map((id) => ({ id, checksum: '', appliedAt: '2026-11-20T11:00:00.000Z' })),
      identity: 'main',
      initialised: true,
    },
    created: false,
  }
}
