import { randomBytes } from 'node:crypto'

import fc from 'fast-check'
import { expect, inject, it } from 'vitest'

import { quoteLiteral } from '../sql/quote.ts'
import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import { exampleDatabase } from './example-database.ts'

/** Of every kind that PostgreSQL treats on its own: reserved in URLs, blanks, composed, decomposed, ligatures, young, right to left. */
const awkward = [
  ...Array.from('@:/?#% &=+\'"\\$\t\näß日ﬁ℻Ⅸ😀שלםعرب'),
  '\u0301',
  '\u00a0',
  '\u2009',
  '\u00ad',
  '\u200d',
  '\u{1f9ff}',
  '\ue000',
]
const character = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...awkward) },
  { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme-ascii' }) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }) },
)
// The server takes an empty one for none, and its protocol ends a text at \0.
const password = fc
  .array(character, { minLength: 1, maxLength: 24 })
  .map((characters) => characters.join(''))
  .filter((text) => text.isWellFormed() && !text.includes('\0'))

it('logs in with 200 generated passwords, from a URL as well as from parts', async ({ skip }) => {
  await using database = await exampleDatabase(inject('serverUrl'))
  const connection = database.connect()
  const role = `drover_test_${randomBytes(6).toString('hex')}`
  await connection.send(`create role ${role} login`)
  try {
    const { host, port, source } = database.url
    const login = async (text: string) => {
      const url = ConnectionUrl.of({ host, port, source, user: role, password: text, database: database.url.database })
      await using other = openConnection(ConnectionUrl.parse(url.revealUrl(), source))
      return await other.send('select current_user as name')
    }
    await connection.send(`alter role ${role} password 'Sesame-7'`)
    const trusting = await login('Sesame-8').then(
      () => true,
      () => false,
    )
    skip(trusting, 'this server trusts everybody')

    await fc.assert(
      fc.asyncProperty(password, async (text) => {
        await connection.send(`alter role ${role} password ${quoteLiteral(text)}`)
        expect(await login(text)).toEqual([{ name: role }])
      }),
      { numRuns: 200 },
    )
  } finally {
    await connection.send(`drop role ${role}`)
  }
})
