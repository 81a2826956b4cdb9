import { ConnectionUrl } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { exampleDatabase } from './workspace/example-database.ts'
import { type Doomed, findResetProblems, isThisMachine } from './reset.ts'

function doomed(name: string, host: string, fields: Partial<Doomed> = {}): Doomed {
  const url = ConnectionUrl.parse(`postgres://me@${host}/${name}`, 'the test')
  const contents = { tables: 1, rows: 2, bytes: 3, identity: name }
  return {
    located: { database: exampleDatabase(name), url, development: false },
    maker: url.withDatabase('postgres'),
    contents,
    sessions: [],
    ...fields,
  }
}

const mild = { force: false, remote: [] }
const codesOf = (...args: Parameters<typeof findResetProblems>) => findResetProblems(...args).map(({ code }) => code)

describe('what keeps a database from being dropped', () => {
  it('is nothing on this machine', () => {
    expect(codesOf([doomed('main', '127.0.0.1'), doomed('gdpr', 'localhost')], mild)).toEqual([])
  })

  it('is a host that is not this machine, unless it was named', () => {
    const there = [doomed('main', 'db.example'), doomed('gdpr', 'db2.example')]

    expect(codesOf(there, mild)).toEqual(['RESET_REFUSED', 'RESET_REFUSED'])
    expect(findResetProblems(there, { ...mild, remote: ['db.example'] })).toMatchObject([{ database: 'gdpr' }])
  })

  it('are sessions, by name, unless they are ended', () => {
    const used = [
      doomed('main', '::1'.replace(/^/, '[').concat(']'), { sessions: [{ application: 'shop', sessions: 2 }] }),
    ]

    expect(findResetProblems(used, mild)).toMatchObject([
      { code: 'RESET_REFUSED', message: 'sessions are connected to it: 2 of "shop"' },
    ])
    expect(codesOf(used, { ...mild, force: true })).toEqual([])
  })

  it('is a user who could not make it again', () => {
    expect(codesOf([doomed('main', 'localhost', { obstacle: 'no' })], mild)).toEqual(['PRIVILEGE_MISSING'])
  })

  it('is another name for the same database', () => {
    const contents = { tables: 1, rows: 2, bytes: 3, identity: 'same' }
    const both = [doomed('main', 'localhost', { contents }), doomed('gdpr', '127.0.0.1', { contents })]

    expect(codesOf(both, mild)).toEqual(['SAME_DATABASE'])
  })
})

describe('this machine', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1', '/run/postgresql'])('is %s', (host) => {
    expect(isThisMachine(host)).toBe(true)
  })

  it.each(['localhost.example', '127.0.0.1.example', '10.0.0.1', 'postgres', '0.0.0.0', '::2'])('is not %s', (host) => {
    expect(isThisMachine(host)).toBe(false)
  })
})
