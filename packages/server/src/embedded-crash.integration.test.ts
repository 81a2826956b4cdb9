import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DOOR, callInChild, killServer, makeFolder, makeFolderWithCluster, query } from './embedded-bench.ts'
import { findEmbedded, startEmbedded, stopEmbedded } from './embedded.ts'
import type { RunningServer } from './embedded/find-server.ts'
import { postmasterFile } from './embedded/postmaster-file.ts'
import { isAlive } from './embedded/process-identity.ts'
import type { StartEvent } from './embedded/start-event.ts'
import { isRoot } from './embedded/unprivileged-user.ts'

test('recovers from kill -9 of the server, with all data', async () => {
  const folder = await makeFolderWithCluster()
  const first = await startEmbedded({ folder })
  await query(first, 'create table note as select 7 as id')

  await killServer(first)

  expect(await findEmbedded(folder)).toBeUndefined()
  expect(await stopEmbedded(folder)).toBe(false)
  const second = await startEmbedded({ folder })
  expect(second).toMatchObject({ port: first.port, password: first.password, reused: false })
  expect(await query(second, 'select id from note')).toEqual([{ id: 7 }])
})

test('does not take a foreign process with the pid of a killed server for the server, and does it no harm', async () => {
  const folder = await makeFolderWithCluster()
  const first = await startEmbedded({ folder })
  await query(first, 'create table note as select 7 as id')
  const data = join(folder, 'cluster/data')
  const { uid, gid } = statSync(data)
  const foreign = spawn('sleep', ['600'], { stdio: 'ignore', ...(isRoot() && { uid, gid }) })
  onTestFinished(() => void foreign.kill('SIGKILL'))
  await once(foreign, 'spawn')
  await killServer(first)
  for (const file of [postmasterFile(data), join(folder, 'server.json')]) {
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(String(first.pid), String(foreign.pid)))
  }

  // Elsewhere this would take running `ps`, and is left to starting and stopping.
  if (process.platform === 'linux') expect(await findEmbedded(folder)).toBeUndefined()
  expect(await stopEmbedded(folder)).toBe(false)
  const events: StartEvent[] = []
  const second = await startEmbedded({ folder, onProgress: (event) => events.push(event) })

  expect(events).toContainEqual(expect.objectContaining({ type: 'removing-stale-pid-file', pid: foreign.pid }))
  expect(await query(second, 'select id from note')).toEqual([{ id: 7 }])
  expect(isAlive(foreign.pid ?? 0)).toBe(true)
})

test('gives ten processes that start it at once one and the same server', async () => {
  const folder = makeFolder()

  const servers = (await Promise.all(
    Array.from({ length: 10 }, () => callInChild('startEmbedded', folder)),
  )) as readonly RunningServer[]

  expect(new Set(servers.map(({ pid, port, password }) => `${pid} ${port} ${password}`)).size).toBe(1)
  expect(servers.filter(({ reused }) => !reused)).toHaveLength(1)
  expect(readdirSync(folder).toSorted()).toEqual(['cluster', 'server.json', 'server.log'])
})

test.each([
  ['while it creates the cluster', `existsSync(fresh('data/global'))`],
  ['between the cluster and the server', `event.type === 'starting'`],
  ['while the server starts', `existsSync(join(folder, 'cluster/data/postmaster.pid'))`],
])('recovers from kill -9 of the starter %s', async (_when, condition) => {
  const folder = makeFolder()
  const starter = `
    import { existsSync, readdirSync } from 'node:fs'
    import { join } from 'node:path'
    const { startEmbedded } = await import(process.argv[1])
    const folder = process.argv[2]
    const fresh = (file) => join(folder, readdirSync(folder).find((name) => name.startsWith('cluster.new-')) ?? '-', file)
    const look = (event) => { if (${condition}) process.kill(process.pid, 'SIGKILL') }
    const watch = setInterval(look, 1, {})
    await startEmbedded({ folder, onProgress: (event) => look(event) })
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', starter, DOOR.href, folder], {
    stdio: 'ignore',
  })
  await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')

  const server = await startEmbedded({ folder })

  expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(await findEmbedded(folder)).toEqual({ ...server, reused: true })
})

test('begins anew in a folder that was removed while the server ran', async () => {
  const folder = await makeFolderWithCluster()
  const first = await startEmbedded({ folder })
  onTestFinished(() => killServer(first))
  rmSync(folder, { recursive: true })

  expect(await findEmbedded(folder)).toBeUndefined()
  expect(await stopEmbedded(folder)).toBe(false)
  const second = await startEmbedded({ folder })

  expect(second.pid).not.toBe(first.pid)
  expect(await query(second, 'select 1 as one')).toEqual([{ one: 1 }])
})
