import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { startMigrate } from './harness/workspace.ts'

const commands = [
  'init',
  'upgrade',
  'downgrade',
  'plan',
  'current',
  'history',
  'heads',
  'branches',
  'show',
  'revision',
  'merge',
  'stamp',
  'adopt',
  'export',
  'check',
  'lint',
  'validate',
  'data-map',
  'drift',
  'rehearse',
  'snapshot',
  'access',
  'wait',
  'start',
  'doctor',
  'reset',
  'lock',
  'server',
] as const

/** Help is for where people are, so it needs no workspace. */
const migrate = (...words: readonly string[]) => startMigrate(words, { cwd: '/', env: {} }).ended

describe('help', () => {
  test.each(commands)('of %s has an example that begins with what one types, and fits 80 columns', async (command) => {
    const ended = await migrate(command, '--help')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(new RegExp(`^Usage: migrate ${command}\\b`))
    expect(ended.stdout).toMatch(new RegExp(`\\nExamples?:\\n[^]*\\bpnpm (?:--silent )?migrate ${command}\\b`))
    for (const option of ['--database', '--json', '--quiet', '--verbose', '--color']) {
      expect(ended.stdout).toContain(option)
    }
    expectNarrow(ended.stdout)
    expect(await migrate('help', command)).toEqual({ ...ended, json: expect.any(Function) })
  })

  test.each([
    ...['list', 'current', 'create', 'upgrade', 'downgrade', 'verify', 'drop'].map((command) => `tenant ${command}`),
    ...['enqueue', 'worker', 'status', 'cancel', 'retry'].map((command) => `fleet ${command}`),
  ])('of %s has an example, and fits 80 columns', async (words) => {
    const [group, command] = words.split(' ')
    const ended = await migrate(group!, command!, '--help')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(ended.stdout).toMatch(new RegExp(`^Usage: migrate ${words}\\b`))
    expect(ended.stdout).toContain(`\nExample:\n  pnpm migrate ${words}`)
    expect((await migrate(group!, '--help')).stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    expectNarrow(ended.stdout)
  })

  test('names every command, the targets and the exit codes', async () => {
    const ended = await migrate('--help')

    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    for (const command of commands) expect(ended.stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
    for (const code of ['0 ', '1 ', '2 ', '3 ', '4 ', '130']) expect(ended.stdout).toContain(code)
    expect(ended.stdout).toContain('head, heads, base, +N, -N')
    expectNarrow(ended.stdout)
    expect((await migrate('help')).stdout).toBe(ended.stdout)
  })

  test.each(['init', 'upgrade', 'downgrade'])('of %s names what changes a run', async (command) => {
    const { stdout } = await migrate(command, '--help')

    for (const option of [
      '--yes',
      '--dry-run',
      '--lock-timeout',
      '--lock-attempts',
      '--kill-blockers-after',
      '--statement-timeout',
      '--wait-lock',
      '--jobs',
      '--on-failure',
    ]) {
      expect(stdout).toContain(option)
    }
  })
})

test.each(['--version', '-V'])('%s prints the version of the package and nothing else', async (option) => {
  const manifest = await readFile(join(import.meta.dirname, '../packages/cli/package.json'), 'utf8')
  const { version } = JSON.parse(manifest)

  expect(await migrate(option)).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
})

function expectNarrow(text: string): void {
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
}
