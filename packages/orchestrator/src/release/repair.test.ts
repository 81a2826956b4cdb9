import { describe, expect, it } from 'vitest'

import { exampleMember } from './example-member.ts'
import { planRepair } from './repair.ts'

const line = { a: [], b: ['a'], c: ['b'] }
/** The members' databases remember `checksum of <id>/statements of <id>`. */
const members = ['main', 'other'].map((name) => {
  const member = exampleMember(name, line, ['a', 'b', 'c'])
  const applied = member.state.applied.map((row) => ({ ...row, checksum: `${row.checksum}/statements of ${row.id}` }))
  return { ...member, state: { ...member.state, applied } }
})

describe('planRepair', () => {
  it('finds the files whose text has changed and whose statements have not, with what replaces what', () => {
    const files = new Map([
      ['b', 'new checksum of b/statements of b'],
      ['c', 'checksum of c/statements of c'],
    ])

    expect(planRepair(members, new Map([['other', files]]))).toMatchObject({
      ok: true,
      databases: [
        { member: { database: { name: 'main' } }, revisions: [], checksums: [] },
        {
          member: { database: { name: 'other' } },
          revisions: [{ id: 'b' }],
          checksums: [{ id: 'b', from: 'checksum of b/statements of b', to: 'new checksum of b/statements of b' }],
        },
      ],
    })
  })

  it('repairs nothing anywhere while the statements of one file have changed', () => {
    const checksums = new Map([
      ['main', new Map([['a', 'new checksum of a/statements of a']])],
      ['other', new Map([['b', 'new checksum of b/other statements']])],
    ])

    expect(planRepair(members, checksums)).toMatchObject({
      ok: false,
      problems: [{ code: 'APPLIED_EDITED', database: 'other', revision: 'b' }],
    })
  })
})
