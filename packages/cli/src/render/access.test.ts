import { type Check, checks, type Proof } from '@drover/access'
import { expect, test } from 'vitest'

import { accessLines } from './access.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

function proofOf(role: string, how: Proof['how'], different?: Check): Proof {
  const results = checks.map((check) => ({ check, expected: true, found: check !== different, where: [] }))
  return {
    database: 'main',
    subject: { role, kind: 'owner', of: 'main' },
    how,
    results: how === 'not tried' ? [] : results,
  }
}

test('what is expected stands beside what was found', () => {
  const proofs = [
    proofOf('credentials_owner', 'login'),
    proofOf('credentials_app', 'set role'),
    proofOf('credentials_readonly', 'login', 'truncate'),
    proofOf('main_owner', 'not tried'),
  ]

  expect(accessLines(proofs, plain)).toEqual([
    'main',
    '  role                  connect  select   insert   update   delete   truncate  ddl      drover',
    '  credentials_owner     yes=yes  yes=yes  yes=yes  yes=yes  yes=yes  yes=yes   yes=yes  yes=yes',
    '  credentials_app*      yes=yes  yes=yes  yes=yes  yes=yes  yes=yes  yes=yes   yes=yes  yes=yes',
    '  credentials_readonly  yes=yes  yes=yes  yes=yes  yes=yes  yes=yes  yes!=no   yes=yes  yes=yes',
    '  main_owner            -        -        -        -        -        -         -        -',
    '',
    'each cell: expected=found; where they differ, expected!=found; - what was not tried',
    '*: not logged in, but taken on by an administrator with set role',
    '23 of 24 as expected',
  ])
})
