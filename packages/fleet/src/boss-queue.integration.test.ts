import { ConnectionUrl, openConnection } from '@drover/engine'
import { createThrowawayDatabase } from '@drover/server'
import { expect, inject, test } from 'vitest'

import { openQueue } from './open-queue.ts'
import type { Queue, TakenJob } from './queue.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The set-up of @drover/server provides it, whose declaration does not come with that package's door. */
    serverUrl: string
  }
}

interface Example extends AsyncDisposable {
  readonly url: ConnectionUrl
  /** Opens the queue once more, as another machine does. */
  open(): Promise<Queue>
}

async function exampleQueue(): Promise<Example> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(await createThrowawayDatabase(inject('serverUrl')))
  const url = ConnectionUrl.parse(database.url, 'the server of the tests')
  const owned = opened.move()
  return {
    url,
    open: async () => owned.use(await openQueue(url, 'tenant', 'work')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const revisions = ['aaaa00000001']
const tenantsOf = (server: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({ slug: `${server}${at + 10}`, server }))

/** Takes until it is somebody's turn. */
async function take(queue: Queue, most: number, connections: number): Promise<readonly TakenJob[]> {
  for (;;) {
    const taken = await queue.take(most, connections)
    if (taken !== 'busy') return taken
  }
}

test('what goes first is taken alone, and the others when it is done', async () => {
  await using example = await exampleQueue()
  const queue = await example.open()
  const added = await queue.add({ revisions, tenants: [...tenantsOf('eu', 3), ...tenantsOf('us', 2)], canaries: 1 })

  const first = await take(queue, 10, 10)
  const meanwhile = await take(queue, 10, 10)
  await queue.settleDone(first.slice(0, 1))
  const afterOne = await take(queue, 10, 10)
  await queue.settleDone(first.slice(1))
  const others = await take(queue, 10, 10)

  expect(added).toMatchObject({ added: 5, canaries: ['eu10', 'us10'] })
  expect(first.map(({ slug }) => slug).toSorted()).toEqual(['eu10', 'us10'])
  expect([...meanwhile, ...afterOne]).toEqual([])
  expect(others.map(({ slug }) => slug).toSorted()).toEqual(['eu11', 'eu12', 'us11'])
  expect(others[0]).toMatchObject({ release: added.release, revisions, tries: 0, isLastTry: false })
})

test('of a release that comes while somebody takes, what goes first is taken alone as well', async () => {
  await using example = await exampleQueue()
  const [queue, other] = [await example.open(), await example.open()]
  await queue.add({ revisions, tenants: tenantsOf('eu', 3), canaries: 1 })
  for (let round = 1; round <= 2; round += 1) await queue.settleDone(await take(queue, 10, 10))
  expect(await take(queue, 10, 10)).toEqual([])

  await other.add({ revisions: ['aaaa00000002'], tenants: tenantsOf('eu', 3), canaries: 1 })

  expect((await take(queue, 10, 10)).map(({ slug }) => slug)).toEqual(['eu10'])
  expect(await take(queue, 10, 10)).toEqual([])
  expect(await queue.status()).toMatchObject({
    revisions: ['aaaa00000002'],
    servers: [{ active: 1, queued: 2, done: 0 }],
  })
})

test('however many take at once, no server has more jobs at a time than it may', async () => {
  await using example = await exampleQueue()
  const first = await example.open()
  const queues = [first, ...(await Promise.all([example.open(), example.open(), example.open()]))]
  await first.add({ revisions, tenants: [...tenantsOf('eu', 40), ...tenantsOf('us', 40)], canaries: 1 })
  await first.settleDone(await take(first, 10, 1))
  const seen: number[] = []
  let done = 0

  const work = async (queue: Queue) => {
    while (done < 78) {
      const taken = await take(queue, 10, 3)
      const status = await queue.status()
      seen.push(...(status?.servers ?? []).map(({ active }) => active))
      await queue.settleDone(taken)
      done += taken.length
    }
  }
  await Promise.all(queues.map(work))

  expect(Math.max(...seen)).toBe(3)
  expect(await first.status()).toMatchObject({
    servers: [
      { name: 'eu', done: 40, active: 0 },
      { name: 'us', done: 40, active: 0 },
    ],
  })
})

test('a job that was taken again belongs to whoever took it last', async () => {
  await using example = await exampleQueue()
  const queue = await example.open()
  await queue.add({ revisions, tenants: [{ slug: 'acme', server: '' }], canaries: 1 })
  const [first] = await take(queue, 10, 4)
  await queue.settle(first!, { kind: 'again', problem: { code: 'LOCKED', message: 'somebody is at it' } })
  expect(await queue.status()).toMatchObject({
    servers: [{ name: '', waiting: 1 }],
    waiting: [{ slug: 'acme', tries: 1, problem: { code: 'LOCKED', message: 'somebody is at it' } }],
  })
  await using connection = openConnection(example.url)
  await connection.send('update drover_fleet.job set start_after = now()')
  const [second] = await take(queue, 10, 4)

  await queue.settle(first!, { kind: 'failed', problem: { code: 'STATEMENT_FAILED', message: 'too late' } })
  await queue.settleDone([first!])

  expect(second).toMatchObject({ slug: 'acme', tries: 1 })
  expect(await queue.status()).toMatchObject({ servers: [{ active: 1, done: 0, failed: 0 }] })
  await queue.settleDone([second!])
  expect(await queue.status()).toMatchObject({ servers: [{ active: 0, done: 1 }] })
})

test('a job fails for good at once for what will not pass, and for what may pass at its last try', async () => {
  await using example = await exampleQueue()
  const queue = await example.open()
  await queue.add({ revisions, tenants: tenantsOf('', 2), canaries: 2 })
  const [one, other] = await take(queue, 10, 4)
  await using connection = openConnection(example.url)
  await connection.send(`update drover_fleet.job set retry_limit = 0 where id = '${other!.id}'`)

  await queue.settle(one!, { kind: 'failed', problem: { code: 'STATEMENT_FAILED', message: 'no such table' } })
  await queue.settle(other!, { kind: 'again', problem: { code: 'LOCKED', message: 'never free' } })

  const status = await queue.status()
  expect(status?.servers).toMatchObject([{ failed: 2, waiting: 0 }])
  expect(status?.failed.map(({ problem }) => problem.message).toSorted()).toEqual(['never free', 'no such table'])
  expect(await queue.retry()).toBe(2)
  const again = await take(queue, 10, 4)
  expect(again.map(({ isLastTry }) => isLastTry)).toEqual([false, false])
})

test('what a worker leaves behind that says nothing any more is taken by others', { timeout: 120_000 }, async () => {
  await using example = await exampleQueue()
  const queue = await example.open()
  await queue.add({ revisions, tenants: [{ slug: 'acme', server: '' }], canaries: 1 })
  const [first] = await take(queue, 10, 4)
  await using connection = openConnection(example.url)
  await connection.send(`update drover_fleet.job set heartbeat_on = now() - interval '1 hour'`)

  const taken: TakenJob[] = []
  while (taken.length === 0) {
    taken.push(...(await take(queue, 10, 4)))
    await connection.send('select pg_sleep(0.1)')
  }

  expect(taken).toMatchObject([{ id: first!.id, slug: 'acme', tries: 1 }])
})

test('cancelling takes out what nobody has begun, and leaves the rest to whoever is at it', async () => {
  await using example = await exampleQueue()
  const queue = await example.open()
  await queue.add({ revisions, tenants: tenantsOf('', 5), canaries: 2 })
  const taken = await take(queue, 10, 4)

  expect(await queue.cancel()).toBe(3)
  await queue.settleDone(taken)

  expect(await queue.status()).toMatchObject({
    servers: [{ done: 2, cancelled: 3, queued: 0, active: 0 }],
    canaries: [],
  })
  expect(await take(queue, 10, 4)).toEqual([])
})

test('whoever only looks makes nothing', async () => {
  await using example = await exampleQueue()

  expect(await openQueue(example.url, 'tenant', 'look')).toBeUndefined()
})
