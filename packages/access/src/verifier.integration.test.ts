import { randomBytes } from 'node:crypto'

import { ConnectionUrl, openConnection, quoteLiteral } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { expect, inject, test } from 'vitest'

import { readVerifiers } from './read.ts'
import { isVerifierOf, makeVerifier } from './verifier.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

test('a server takes a verifier for the password, and makes one that is that of the password', async () => {
  await using database = await createThrowawayDatabase(inject('serverUrl'))
  const administrator = ConnectionUrl.parse(database.url, 'the server of the tests')
  await using connection = openConnection(administrator)
  const role = `t${randomBytes(6).toString('hex')}`
  try {
    for (const password of [
      'simple',
      `'"\\@:/?#% `,
      'caf\u00e9',
      'cafe\u0301',
      '\u2168',
      'p\u00a0w\u00adx',
      '密码🔑',
    ]) {
      const exists = password !== 'simple'
      await connection.send(
        `${exists ? 'alter' : 'create'} role ${role} login password ${quoteLiteral(makeVerifier(password))}`,
      )
      await using login = openConnection(administrator.withLogin(role, password))
      expect(await login.send('select current_user::text as name')).toEqual([{ name: role }])

      await connection.send(`alter role ${role} password ${quoteLiteral(password)}`)
      const verifiers = await readVerifiers(connection, [role])
      expect(isVerifierOf(verifiers?.get(role) ?? '', password)).toBe(true)
    }
    await using wrong = openConnection(administrator.withLogin(role, 'wrong'))
    await expect(wrong.send('select 1')).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
  } finally {
    await connection.send(`drop role if exists ${role}`)
  }
})
