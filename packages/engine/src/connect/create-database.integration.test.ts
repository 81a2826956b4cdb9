import { randomBytes } from 'node:crypto'

import { describe, expect, inject, it } from 'vitest'

import { quoteIdentifier } from '../sql/quote.ts'
import { openConnection } from './connection.ts'
import { ConnectionUrl } from './connection-url.ts'
import { createDatabase } from './create-database.ts'

describe('createDatabase', () => {
  it('creates a database, and finds it there the second time', async () => {
    await using missing = missingDatabase('engine "größe" test')

    const answers = [await createDatabase(missing.url), await createDatabase(missing.url)]

    expect(answers).toEqual([true, false])
    await using connection = openConnection(missing.url)
    expect(await connection.send('select current_database() as name')).toEqual([{ name: missing.url.database }])
  })

  it('creates it once when ten ask for it at the same moment', async () => {
    await using missing = missingDatabase('engine_test')

    const answers = await Promise.all(Array.from({ length: 10 }, () => createDatabase(missing.url)))

    expect(answers.filter(Boolean)).toHaveLength(1)
  })

  it('says what is wrong with the server', async () => {
    await using missing = missingDatabase('engine_test')
    const { host, port, database, source } = missing.url
    const nobody = ConnectionUrl.of({ host, port, database, source, user: database, password: '' })

    await expect(createDatabase(nobody)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' })
  })
})

function missingDatabase(prefix: string): AsyncDisposable & { readonly url: ConnectionUrl } {
  const server = ConnectionUrl.parse(inject('serverUrl'), 'the server of the tests')
  const url = server.withDatabase(`${prefix}_${randomBytes(6).toString('hex')}`)
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      await using connection = openConnection(server)
      await connection.send(`drop database if exists ${quoteIdentifier(url.database)} with (force)`)
    },
  }
}
