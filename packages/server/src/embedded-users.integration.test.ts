import { chmodSync, chownSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { callInChild, isRunning, makeFolder, query } from './embedded-bench.ts'
import { findEmbedded, removeEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import type { RunningServer } from './embedded/find-server.ts'
import type { StartEvent } from './embedded/start-event.ts'
import { canEnter, canRun, isRoot } from './embedded/unprivileged-user.ts'

const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 }
const nameless = { uid: 64_321, gid: 64_321 }
/** Tests with a second user need root to switch to it, and sources and a Node that it can read. */
const hasSecondUser =
  isRoot() && canRun(nobody, process.execPath) && canEnter(nobody, join(import.meta.dirname, 'embedded'))

test.skipIf(isRoot())('names the folder when it may not write there', async () => {
  const folder = makeFolder()
  chmodSync(folder, 0o555)

  await expect(startEmbedded({ folder })).rejects.toMatchObject({
    code: 'FOLDER_UNUSABLE',
    message: expect.stringContaining(folder),
  })
})

test.skipIf(!hasSecondUser)('works for a normal user, and root uses and stops that same server', async () => {
  const folder = makeFolder()
  chownSync(folder, nobody.uid, nobody.gid)

  const theirs = (await callInChild('startEmbedded', folder, nobody)) as RunningServer

  expect(theirs).toMatchObject({ reused: false })
  expect(statSync(join(folder, 'cluster')).uid).toBe(nobody.uid)
  expect(await startEmbedded({ folder })).toMatchObject({ pid: theirs.pid, reused: true })
  expect(await stopEmbedded(folder)).toBe(true)
  // Root runs it as the owner of the data, so that it stays theirs.
  const again = await startEmbedded({ folder })
  expect(await callInChild('startEmbedded', folder, nobody)).toMatchObject({ pid: again.pid, reused: true })
})

test.skipIf(!hasSecondUser)(
  'tells a normal user that the folder is not writable, or that the server is root’s',
  async () => {
    const folder = makeFolder()

    expect(await callInChild('startEmbedded', folder, nobody)).toMatchObject({
      code: 'FOLDER_UNUSABLE',
      message: expect.stringContaining(folder),
    })
    await startEmbedded({ folder })
    const refusal = { code: 'BELONGS_TO_OTHER_USER', message: expect.stringContaining(folder) }
    expect(await callInChild('startEmbedded', folder, nobody)).toMatchObject(refusal)
    expect(await callInChild('stopEmbedded', folder, nobody)).toMatchObject(refusal)
  },
)

test.skipIf(!isRoot())('keeps the data outside a folder that only root can enter', async () => {
  const closed = makeFolder()
  chmodSync(closed, 0o700)
  const folder = join(closed, 'workspace/.drover/server')
  const outside = makeFolder()
  const events: StartEvent[] = []

  const first = await startEmbedded({ folder, outside, onProgress: (event) => events.push(event) })
  await query(first, 'create table note as select 7 as id')

  expect(events).toContainEqual(expect.objectContaining({ type: 'placing-data-outside', folder, outside }))
  expect(readdirSync(folder).toSorted()).toEqual(['server.json', 'server.log'])
  expect(await findEmbedded(folder)).toEqual({ ...first, reused: true })
  expect(await stopEmbedded(folder)).toBe(true)
  const second = await startEmbedded({ folder, outside })
  expect(await query(second, 'select id from note')).toEqual([{ id: 7 }])

  // Removed by hand, server and all: what was outside goes with it.
  rmSync(folder, { recursive: true })
  const third = await startEmbedded({ folder, outside })
  expect(await query(third, `select to_regclass('note') as note`)).toEqual([{ note: null }])
  expect(isRunning(second)).toBe(false)
  expect(readdirSync(outside)).toHaveLength(1)

  await removeEmbedded(folder)
  expect(readdirSync(outside)).toEqual([])
  expect(existsSync(folder)).toBe(false)
})

test.skipIf(!hasSecondUser)('quotes initdb when no cluster can be created, and leaves nothing behind', async () => {
  const folder = makeFolder()
  chownSync(folder, nameless.uid, nameless.gid)

  expect(await callInChild('startEmbedded', folder, nameless)).toMatchObject({
    code: 'INIT_FAILED',
    message: expect.stringContaining('could not look up effective user ID 64321'),
    hint: expect.stringContaining('/etc/passwd'),
  })
  expect(readdirSync(folder)).toEqual([])
})
