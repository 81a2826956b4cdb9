import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DOOR, isRunning, makeFolder } from './embedded-bench.ts'
import { findEmbedded, startEmbedded } from './embedded.ts'
import { pickServer } from './pick.ts'
import type { PickEvent } from './pick.ts'
import { serverUrl } from './server-url.ts'

const embedded = { DROVER_TEST_SERVER: 'embedded' }

test('starts a server in a folder of its own, and afterwards neither is there any more', async () => {
  const picked = await pickServer(embedded)
  const [folder = ''] = temporaryFolders(process.pid)
  const server = await findEmbedded(folder)

  expect(picked).toMatchObject({ kind: 'embedded', url: server && serverUrl(server) })
  await picked[Symbol.asyncDispose]()

  expect(temporaryFolders(process.pid)).toEqual([])
  expect(isRunning(server)).toBe(false)
})

test('is the embedded server, without a word, where no engine answers', async () => {
  const events: PickEvent[] = []

  await using picked = await pickServer(
    { DOCKER_HOST: 'unix:///no/such.sock' },
    { onProgress: (event) => events.push(event) },
  )

  expect(picked.kind).toBe('embedded')
  expect(events.map(({ type }) => type)).not.toContain('no-container')
})

test('clears away what a killed run has left', async () => {
  const program = `
    const { pickServer } = await import(process.argv[1])
    await pickServer({ DROVER_TEST_SERVER: 'embedded' })
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, DOOR.href], { stdio: 'ignore' })
  await once(child, 'exit')
  const [left = ''] = temporaryFolders(child.pid)
  const server = await findEmbedded(left)
  expect(server).toBeDefined()

  await using _picked = await pickServer(embedded)

  expect(temporaryFolders(child.pid)).toEqual([])
  expect(isRunning(server)).toBe(false)
})

test('leaves a server running that ran before, and stops one that did not', async () => {
  const folder = makeFolder()
  {
    await using picked = await pickServer({}, { folder })
    const running = await findEmbedded(folder)
    expect(picked.url).toBe(running && serverUrl(running))
  }
  expect(await findEmbedded(folder)).toBeUndefined()

  const before = await startEmbedded({ folder })
  {
    await using picked = await pickServer({}, { folder })
    expect(picked.url).toBe(serverUrl(before))
  }
  expect(await findEmbedded(folder)).toEqual({ ...before, reused: true })
})

function temporaryFolders(pid: number | undefined): readonly string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(`drover-test-server-${pid}-`))
    .map((name) => join(tmpdir(), name))
}
