import { expect, it } from 'vitest'

import { exampleDatabase } from './example-database.ts'
import { readFromCommand } from './url-command.ts'

const environment = { PATH: process.env['PATH'] }

it.each([
  ['itself', 'sleep 20'],
  ['and leaves another behind', 'sleep 20 & wait'],
])('does not wait for a command that never ends: %s', async (_, script) => {
  const database = exampleDatabase('ops', { urlCommand: ['sh', '-c', script] })

  await expect(readFromCommand(database, { root: '/', environment, timeoutMs: 200 })).rejects.toMatchObject({
    code: 'URL_INVALID',
    message: 'the urlCommand of ops, "sh", did not end within 0.2 seconds',
  })
})

it('gives a command that asks for something nothing to read', async () => {
  const database = exampleDatabase('ops', { urlCommand: ['sh', '-c', 'read answer; echo "got <$answer>"'] })

  expect(await readFromCommand(database, { root: '/', environment })).toMatchObject({ text: 'got <>' })
})
