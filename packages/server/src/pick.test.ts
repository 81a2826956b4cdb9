import { expect, test } from 'vitest'
import { pickServer } from './pick.ts'

test('takes the named server as it is, and leaves it alone afterwards', async () => {
  const url = 'postgres://someone:p%40ss@db.example:6543/postgres?sslmode=require'

  await using server = await pickServer({ DROVER_TEST_SERVER: url })

  expect(server).toMatchObject({ kind: 'named', url })
  expect(server.description).toBe('the server db.example:6543 that DROVER_TEST_SERVER names')
})

test.each([
  ['a container', { DROVER_TEST_SERVER: 'container' }],
  ['an image', { DROVER_POSTGRES_IMAGE: 'postgres:16.1' }],
])('gives whoever asks for %s nothing else where no engine answers', async (_what, asked) => {
  await expect(pickServer({ ...asked, DOCKER_HOST: 'unix:///no/such.sock' })).rejects.toMatchObject({
    code: 'NO_CONTAINER_ENGINE',
    message: expect.stringContaining('unix:///no/such.sock'),
    hint: expect.stringContaining('DROVER_TEST_SERVER=embedded'),
  })
})

test.each(['localhost:5432', 'mysql://root:hunter2@localhost/x', 'postgres://u:hunter2@[bad/x'])(
  'refuses %j without repeating it',
  async (url) => {
    const refusal: unknown = await pickServer({ DROVER_TEST_SERVER: url }).catch((error: unknown) => error)

    expect(refusal).toMatchObject({ code: 'INVALID_URL', message: expect.stringContaining('DROVER_TEST_SERVER') })
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain('hunter2')
  },
)
