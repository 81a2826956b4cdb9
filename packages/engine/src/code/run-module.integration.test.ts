import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { type ExampleDatabase, exampleDatabase } from '../connect/example-database.ts'
import { exampleModule } from './example-module.ts'

let database: ExampleDatabase

beforeAll(async () => {
  database = await exampleDatabase(inject('serverUrl'))
  await database.connect().send('create table rows (id int primary key, tags text[])')
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

async function rows(): Promise<readonly unknown[]> {
  const found = await database.connect().send('select id from rows order by id')
  return found.map((row) => row['id'])
}

describe('runModule', () => {
  it('calls a function with a client of the database, in one transaction with what comes before and after it', async () => {
    await using module = await exampleModule(`
      const tags: string[] = ['a', 'b']
      await sql\`insert into rows \${sql([{ id: 2, tags }])}\`
      const [row] = await sql\`select tags from rows where id = 2\`
      log(row.tags.join('+') + ' of ' + (await sql\`select count(*)::int as n from rows\`)[0].n)
    `)

    const end = await module.run(
      database.url,
      {},
      { before: 'insert into rows values (1);', after: 'delete from rows' },
    )

    expect(end).toEqual({ kind: 'done' })
    expect(module.lines).toEqual(['a+b of 2'])
    expect(await rows()).toEqual([])
  })

  it('keeps nothing of one that throws, and says where it did', async () => {
    await using module = await exampleModule(`await sql\`insert into rows values (1)\`
    throw new Error('no such bucket', { cause: new Error('404') })`)

    expect(await module.run(database.url)).toEqual({
      kind: 'failed',
      fault: { kind: 'code', message: 'no such bucket (404)', line: 5 },
    })
    expect(await rows()).toEqual([])
  })

  it('says what the server has refused, and in which line', async () => {
    await using module = await exampleModule(`await sql\`insert into rows values (1)\`
    await sql\`insert into rows values (\${1})\``)

    expect(await module.run(database.url)).toMatchObject({
      kind: 'failed',
      fault: {
        kind: 'statement',
        line: 5,
        statement: 'insert into rows values ($1)',
        server: { code: '23505', detail: 'Key (id)=(1) already exists.', constraint_name: 'rows_pkey' },
      },
    })
  })

  it('does not let a statement that failed be passed over in silence', async () => {
    await using module = await exampleModule(`await sql\`select nothing\`.catch(() => {})`)

    expect(await module.run(database.url)).toMatchObject({
      kind: 'failed',
      fault: { kind: 'statement', server: { code: '42703' }, line: 4 },
    })
  })

  it('goes on after a savepoint', async () => {
    await using module = await exampleModule(`
      await sql\`insert into rows values (1)\`
      await sql.savepoint(async (inner) => {
        await inner\`insert into rows values (1)\`
      }).catch((error) => log(error.code))
      await sql.savepoint('named', (inner) => inner\`delete from rows\`)
    `)

    expect(await module.run(database.url)).toEqual({ kind: 'done' })
    expect(module.lines).toEqual(['23505'])
  })

  it.each([
    ['a number', 'throw 7', 'it throws 7, which is no Error'],
    ['nothing', 'throw undefined', 'it throws undefined, which is no Error'],
    ['a rejection that nobody waits for', `Promise.reject(new Error('late')); await new Promise(() => {})`, 'late'],
    ['an error in a timer', `setTimeout(() => { throw new Error('timer') }); await new Promise(() => {})`, 'timer'],
    ['process.exit', 'process.exit(0)', 'it calls process.exit: it has to return, or to throw'],
  ])('takes %s for a failure', async (_, code, message) => {
    await using module = await exampleModule(`await sql\`insert into rows values (1)\`; ${code}`)

    expect(await module.run(database.url)).toMatchObject({ kind: 'failed', fault: { kind: 'code', message } })
    expect(await rows()).toEqual([])
  })

  it.each([
    [`await sql.unsafe('insert into rows values (1); commit')`],
    [`await sql\`insert into rows values (1)\`; await sql\`COMMIT\``],
    [`await sql\`insert into rows values (1)\`; await sql.unsafe('/* */ end').catch(() => {})`],
    [`await sql.savepoint((inner) => inner.unsafe('rollback'))`],
    [`await sql.begin((inner) => inner\`insert into rows values (1)\`)`],
    [`await sql.prepare('x')`],
  ])('lets nothing end the transaction: %s', async (code) => {
    await using module = await exampleModule(code)

    expect(await module.run(database.url)).toMatchObject({
      kind: 'failed',
      fault: { kind: 'code', line: 4, message: expect.stringContaining('sql.savepoint is for what may fail') },
    })
    expect(await rows()).toEqual([])
  })

  it('takes no column for the end of a transaction', async () => {
    await using module = await exampleModule(
      `await sql\`select case when true then 1 end as "commit", 'rollback' as start\``,
    )

    expect(await module.run(database.url)).toEqual({ kind: 'done' })
  })

  it('notices a transaction that was ended all the same', async () => {
    await using module = await exampleModule(`await sql\`insert into rows values (7)\`
    await sql\`\${sql.unsafe('com')}mit\``)

    const end = await module.run(database.url, {}, { after: 'insert into rows values (8)' })

    expect(end).toMatchObject({ kind: 'failed', fault: { kind: 'torn' } })
    expect(await rows()).toEqual([7])
    await database.connect().send('delete from rows')
  })

  it('lets nothing be sent behind the end', async () => {
    await using module = await exampleModule(`
      for (const id of [1, 2]) void (async () => {
        await sql\`select 1\`
        await sql\`insert into rows values (\${id})\`
      })()
    `)

    expect(await module.run(database.url)).toMatchObject({
      kind: 'failed',
      fault: { kind: 'code', message: expect.stringContaining('after it has returned') },
    })
    expect(await rows()).toEqual([])
  })

  it('does not wait for what is left behind', async () => {
    await using module = await exampleModule(`setInterval(() => {}, 1000)`)

    expect(await module.run(database.url)).toEqual({ kind: 'done' })
  })

  it('says how a process ended that gave no answer, with what it said last', async () => {
    await using module = await exampleModule(`console.error('out of it'); process.kill(process.pid, 'SIGKILL')
      await new Promise(() => {})`)

    expect(await module.run(database.url)).toEqual({
      kind: 'died',
      reason: 'was ended by SIGKILL',
      lastLines: ['out of it'],
    })
  })

  it('kills one that never waits, when it is cancelled', async () => {
    const cancel = new AbortController()
    await using module = await exampleModule(`log('here'); for (;;);`)

    const end = await module.run(database.url, { cancel: cancel.signal, onLine: () => cancel.abort() })

    expect(end).toMatchObject({ kind: 'died', reason: 'was ended by SIGKILL' })
  })

  it.each([
    ['throws', 'signal.throwIfAborted()', 'interrupted'],
    ['goes on to its end', 'await sql`select 1`', 'done'],
  ])('aborts the signal of one that %s then', async (_, code, kind) => {
    const interrupt = new AbortController()
    await using module = await exampleModule(`
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
      log('here')
      await aborted
      ${code}
    `)

    const end = await module.run(database.url, { signal: interrupt.signal, onLine: () => interrupt.abort() })

    expect(end).toEqual({ kind })
  })

  it('calls nothing when it is interrupted before', async () => {
    await using module = await exampleModule(`log('here')`)

    expect(await module.run(database.url, { signal: AbortSignal.abort() })).toEqual({ kind: 'interrupted' })
    expect(module.lines).toEqual([])
  })

  it('passes on how far it has come', async () => {
    await using module = await exampleModule(`progress(1, 3); progress(2, 3); progress(3, 3)`)

    await module.run(database.url)

    expect(module.progress).toEqual([
      { done: 1, total: 3, elapsedMs: expect.any(Number) },
      { done: 3, total: 3, elapsedMs: expect.any(Number) },
    ])
  })

  it('keeps the password out of what is printed and thrown', async () => {
    await using module = await exampleModule('', {
      head: `console.log('hunter2 secret')\nthrow new Error('hunter2%20secret')`,
    })

    const end = await module.run(database.url.withLogin('somebody', 'hunter2 secret'))

    expect(end).toMatchObject({ kind: 'failed', fault: { message: '***', line: 2 } })
    expect(module.lines).toEqual(['***'])
  })

  it.each([
    ['a syntax error', 'const = 1', { kind: 'code', line: 1 }],
    ['a package that is not there', `import 'no-such-package'`, { kind: 'code' }],
    ['what cannot be stripped', 'enum Colour { red }', { kind: 'code' }],
  ])('says of %s where it is', async (_, head, fault) => {
    await using module = await exampleModule('', { head })

    expect(await module.run(database.url)).toMatchObject({ kind: 'failed', fault })
  })

  it('compares what the module has with what is expected of it', async () => {
    await using module = await exampleModule('')

    expect(await module.run(database.url, {}, { expected: { up: true, down: true } })).toMatchObject({
      fault: { kind: 'module', message: expect.stringContaining('it seems to have "down"') },
    })
    expect(await module.run(database.url, {}, { expected: { up: false } })).toMatchObject({
      fault: { kind: 'module', message: expect.stringContaining('its default export has "up"') },
    })
    expect(await module.run(database.url, {}, { call: 'before' })).toMatchObject({
      fault: { kind: 'module', message: 'its default export has no function "before"' },
    })
  })

  it('says what is wrong with the connection, and takes nothing else for that', async () => {
    await using module = await exampleModule(`
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    `)

    expect(await module.run(database.url.withDatabase('no_such_database'))).toMatchObject({
      fault: { kind: 'connection', problem: { code: 'DATABASE_MISSING' } },
    })
    expect(await module.run(database.url)).toMatchObject({
      fault: { kind: 'code', message: 'connect ECONNREFUSED' },
    })
  })

  it('has nothing of the environment but what is harmless, and no secret in its arguments', async () => {
    await using module = await exampleModule(
      `log(JSON.stringify([Object.keys(process.env).sort(), process.argv.slice(2), process.execArgv, process.cwd()]))`,
    )

    await module.run(database.url, {
      environment: { HOME: '/home/me', PATH: '/bin', OTHER_DATABASE_URL: 'postgres://secret', NODE_OPTIONS: '--x' },
    })

    const [variables, ...others] = JSON.parse(module.lines[0]!)
    expect(variables.filter((name: string) => name !== 'NODE_COMPILE_CACHE')).toEqual(['HOME', 'PATH'])
    expect(others).toEqual([[], [], module.root])
  })
})
