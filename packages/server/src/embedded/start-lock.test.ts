import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { takeStartLock } from './start-lock.ts'

test('is free again after its release, and leaves nothing behind', async () => {
  const folder = setup()

  for (let turn = 0; turn < 3; turn += 1) {
    using _lock = await takeStartLock(folder, { timeoutMs: 0 })
  }

  expect(readdirSync(folder)).toEqual([])
})

test('lets nobody else in, names the holder while waiting, and gives up in time', async () => {
  const folder = setup()
  const waitedFor: number[] = []
  using _lock = await takeStartLock(folder)

  const second = takeStartLock(folder, { onWait: (pid) => waitedFor.push(pid), timeoutMs: 60 })

  await expect(second).rejects.toMatchObject({ code: 'BUSY', message: expect.stringContaining(`${process.pid}`) })
  expect(waitedFor).toEqual([process.pid])
})

test('is handed on to the one who waits', async () => {
  const folder = setup()
  const first = await takeStartLock(folder)
  const second = takeStartLock(folder)

  first[Symbol.dispose]()

  using _lock = await second
  expect(readdirSync(join(folder, 'start-lock'))).toHaveLength(1)
})

test.each([
  ['of a process that is gone', '4194305.123.abc'],
  ['of an earlier process with the pid of this one', `${process.pid}.1.abc`],
  ['that says nothing', 'nonsense'],
])('is taken from a holder %s', async (_who, ticket) => {
  const folder = setup()
  mkdirSync(join(folder, 'start-lock'))
  writeFileSync(join(folder, 'start-lock', ticket), '')
  mkdirSync(join(folder, `start-lock.${ticket}`))

  using _lock = await takeStartLock(folder, { timeoutMs: 0 })

  expect(readdirSync(folder)).toEqual(['start-lock'])
  expect(readdirSync(join(folder, 'start-lock'))).not.toContain(ticket)
})

test('is held by one process at a time, also when holders are killed', async () => {
  const folder = setup()
  const log = join(folder, 'log')
  // Every other one of them ends without a release. Two at a time would show as a wrong order in the log.
  const contender = `
    import { appendFileSync } from 'node:fs'
    const { takeStartLock } = await import(process.argv[1])
    for (let turn = 0; turn < 5; turn += 1) {
      using lock = await takeStartLock(process.argv[2])
      appendFileSync(process.argv[3], 'in ' + process.pid + '\\n')
      await new Promise((resolve) => setImmediate(resolve))
      appendFileSync(process.argv[3], 'out ' + process.pid + '\\n')
      if (turn === 3 && process.argv[4] === 'killed') process.kill(process.pid, 'SIGKILL')
    }`
  const module = new URL('start-lock.ts', import.meta.url).href

  const ends = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => {
      const fate = index % 2 === 0 ? 'killed' : 'spared'
      const child = spawn(process.execPath, ['--input-type=module', '-e', contender, module, folder, log, fate])
      const said = text(child.stderr)
      child.stdout.resume()
      await new Promise((resolve) => child.once('exit', resolve))
      return fate === 'killed' ? child.signalCode : await said
    }),
  )

  expect(ends).toEqual(['SIGKILL', '', 'SIGKILL', '', 'SIGKILL', ''])
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  expect(lines).toHaveLength(3 * 2 * 4 + 3 * 2 * 5)
  for (let at = 0; at < lines.length; at += 2) expect(lines[at + 1]).toBe(lines[at]?.replace('in', 'out'))
}, 30_000)

function setup(): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
