import { randomBytes } from 'node:crypto'

import { ConnectionUrl, openConnection, quoteLiteral } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import fc from 'fast-check'
import { expect, inject, onTestFailed, test } from 'vitest'

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

/** Passwords of which parts mean something to SQL, URLs, shells or SCRAM. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        ...`' '' " \\ $$ $1$ ; -- /* */ : @ / ? # & = % %00 , \n \t \0 ü 密码 😀 \u00ad \u2168`.split(' '),
        ' ',
      ),
      fc.constantFrom("'; drop role postgres; --", 'SCRAM-SHA-256$4096:', 'md5', 'x'.repeat(63), 'ö'.repeat(40)),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((parts) => parts.join(''))
  // An empty one is none, with PostgreSQL too.
  .filter((text) => text !== '' && !text.includes('\0') && text.isWellFormed())

test(
  '10,000 hostile passwords have the verifier that the server makes of them, and none shows it',
  { timeout: 120_000 },
  async () => {
    await using database = await createThrowawayDatabase(inject('serverUrl'))
    await using connection = openConnection(ConnectionUrl.parse(database.url, 'the server of the tests'))
    const role = `t${randomBytes(6).toString('hex')}`
    const seed = Date.now()
    onTestFailed(() => void process.stderr.write(`fc.sample with seed ${seed}\n`))
    // Before version 16, a server cannot be told to take less time for it.
    const [version] = await connection.send("select current_setting('server_version_num')::int >= 160000 as quick")
    const isQuick = version?.['quick'] === true
    const passwords = fc.sample(hostile, { numRuns: isQuick ? 10_000 : 200, seed })

    for (let at = 0; at < passwords.length; at += 500) {
      const some = passwords.slice(at, at + 500)
      const texts = some.flatMap((password) => [
        quoteLiteral(password),
        quoteLiteral(makeVerifier(password, undefined, 1)),
      ])
      const kept = "(select rolpassword from pg_authid where rolname = '" + role + "')"
      // Nothing of it is kept: the message ends with an error.
      const rows: string[] = []
      const steps = texts.map((text) => `alter role ${role} password ${text}; select ${kept} as verifier;`)
      await expect(
        connection.send(
          `${isQuick ? 'set local scram_iterations = 1;' : ''} create role ${role}; ${steps.join('\n')} select 1 / 0`,
          (row) => rows.push(String(row['verifier'])),
        ),
      ).rejects.toMatchObject({ code: '22012' })

      expect(rows).toHaveLength(2 * some.length)
      for (const [index, password] of some.entries()) {
        const [servers, ours] = [rows[2 * index]!, rows[2 * index + 1]!]
        expect(isVerifierOf(servers, password)).toBe(true)
        expect(isVerifierOf(ours, password)).toBe(true)
        expect(ours).toMatch(/^SCRAM-SHA-256\$1:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/)
      }
    }
  },
)
