import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, sep } from 'node:path'
import { text } from 'node:stream/consumers'

import { stopEmbedded } from '@drover/server'
import { expect, test } from 'vitest'

import { queryColumn, readApplied, readStore } from './harness/query.ts'
import { databaseNames, repository } from './harness/repository-databases.ts'

/** The machine's own programs: not those that the installation of this repository has put before them. */
const path = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.split(sep).includes('node_modules'))
  .join(delimiter)

const reasonToSkip = findReasonToSkip()

test(
  `in a fresh clone, one command installs, starts PostgreSQL and migrates everything; a second one changes nothing${reasonToSkip ? ` (skipped: ${reasonToSkip})` : ''}`,
  { timeout: 600_000, skip: reasonToSkip !== undefined },
  async () => {
    await using clone = await cloneRepository()

    const first = await clone.pnpm('migrate', 'upgrade')

    expect(first.stderr).toContain('server: starting PostgreSQL on 127.0.0.1:')
    expect(first.exitCode).toBe(0)
    expect(existsSync(join(clone.root, 'node_modules'))).toBe(true)
    expect(first.stdout).toContain('on the development server:')
    for (const name of databaseNames) {
      expect(first.stdout).toMatch(new RegExp(`^ {2}${name} +postgres://\\w+@127\\.0\\.0\\.1:\\d+/${name}$`, 'm'))
    }
    expect(first.stdout).toMatch(/^ {2}tenant +postgres:\/\/\w+@127\.0\.0\.1:\d+\/main$/m)
    expect(first.stdout).toContain('psql "$(pnpm --silent migrate server url credentials)"')
    const urls = await Promise.all(databaseNames.map((name) => clone.urlOf(name)))
    for (const url of urls) expect(`${first.stdout}${first.stderr}`).not.toContain(new URL(url).password)
    for (const url of urls) {
      expect((await readApplied(url)).length).toBeGreaterThanOrEqual(3)
      expect(await queryColumn(url, `select count(*) > 3 from pg_tables where schemaname = 'public'`)).toEqual([true])
    }
    const stores = await Promise.all(urls.map(readStore))

    const second = await clone.pnpm('migrate', 'upgrade')

    expect(second.exitCode).toBe(0)
    expect(second.stdout).toContain('nothing to do')
    for (const name of databaseNames) expect(second.stdout).toMatch(new RegExp(`^${name} +up to date`, 'm'))
    expect(await Promise.all(urls.map(readStore))).toEqual(stores)
    // What it installs and makes is nothing that somebody could commit by mistake.
    expect(git('-C', clone.root, 'status', '--porcelain').stdout).toBe('')

    expect(await clone.pnpm('migrate', 'server', 'stop')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('stopped'),
    })
    await expect(readApplied(urls[0]!)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  },
)

interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Clone extends AsyncDisposable {
  readonly root: string
  /** Runs the repository's pnpm in it, as on a machine that has nothing but Node. */
  pnpm(...args: readonly string[]): Promise<Ended>
  urlOf(database: string): Promise<string>
}

/** Clones what is committed into an empty folder. Its server is stopped and all of it removed in the end. */
async function cloneRepository(): Promise<Clone> {
  const around = await realpath(await mkdtemp(join(tmpdir(), 'drover-clone-')))
  // Open to the user who runs the server for root, so that the data stays below the clone.
  await chmod(around, 0o755)
  const root = join(around, 'grüne Wiese')
  await mkdir(root)
  const cloned = git('clone', '--quiet', repository, root)
  if (cloned.status !== 0) throw new Error(`git clone: ${cloned.stderr}`)
  const env = { PATH: path, HOME: process.env['HOME'] ?? '' }
  const pnpm = async (...args: readonly string[]): Promise<Ended> => {
    const version = /^pnpm@[\d.]+/.exec((await readPackage(root)).packageManager)![0]
    const child = spawn('npx', ['-y', version, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const exit = new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { exitCode, stdout, stderr }
  }
  return {
    root,
    pnpm,
    urlOf: async (database) => (await pnpm('--silent', 'migrate', 'server', 'url', database)).stdout.trim(),
    [Symbol.asyncDispose]: async () => {
      await stopEmbedded(join(root, '.drover', 'server'))
      await rm(around, { recursive: true, force: true })
    },
  }
}

async function readPackage(root: string): Promise<any> {
  return (await import(join(root, 'package.json'), { with: { type: 'json' } })).default
}

function findReasonToSkip(): string | undefined {
  if (git('-C', repository, 'rev-parse', '--show-toplevel').stdout.trim() !== repository.replace(/\/$/, ''))
    return 'this is no checkout of git'
  if (git('-C', repository, 'cat-file', '-e', 'HEAD:package.json').status !== 0) return 'nothing is committed yet'
  if (spawnSync('npx', ['--version'], { env: { PATH: path } }).status !== 0) return 'there is no npx on this machine'
  return undefined
}

function git(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync('git', args, { encoding: 'utf8' })
}
