import { DroverError } from '@drover/history'
import { expect, test } from 'vitest'

import { type DeclaredAccess, wantedAccess } from './declare.ts'

const declare = (name: string, owner = `${name}_owner`): DeclaredAccess => ({
  name,
  roles: { owner, app: `${name}_app`, readonly: `${name}_readonly` },
  extensions: [],
})

test('the roles of all other databases are strangers', () => {
  const [main, credentials] = [declare('main'), declare('credentials')]

  expect(wantedAccess(main, 'main_production', [credentials, main])).toEqual({
    ...main,
    database: 'main_production',
    strangers: ['credentials_owner', 'credentials_app', 'credentials_readonly'],
  })
})

test('two databases must not share a role, in whatever place each has it', () => {
  const [main, credentials] = [declare('main'), declare('credentials', 'main_app')]

  expect(() => wantedAccess(main, 'main', [main, credentials])).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('main_app') }),
  )
  expect(() => wantedAccess(main, 'main', [main, credentials])).toThrow(DroverError)
})
