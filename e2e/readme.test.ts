import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readDocumentedCommands } from './harness/documented-commands.ts'
import { repository } from './harness/repository-databases.ts'
import { openShell, type Shell } from './harness/shell.ts'

/** Commands that are not run here, and what runs them. */
const coveredElsewhere = new Map([
  ['npx -y pnpm@12.21.0 migrate upgrade', 'e2e/fresh-clone.test.ts, which installs into an empty folder'],
  ['npx -y pnpm@12.21.0 test', 'the run that this test is part of'],
])

const documents = ['README.md', 'docs/guides/first-steps.md']

describe.each(documents)('%s', (document) => {
  let shell: Shell
  const all = readDocumentedCommands(readFileSync(join(repository, document), 'utf8'))
  const commands = all.filter(({ command }) => !coveredElsewhere.has(command))

  beforeAll(async () => {
    shell = await openShell()
  })

  afterAll(async () => {
    await shell[Symbol.asyncDispose]()
  })

  // In order and in one place, as a reader would type them: each builds on what the ones before it have done.
  test.each(commands)('line $line: $command', async ({ command, output: documented }) => {
    const { exitCode, output } = await shell.run(command)

    const fails = documented !== undefined && /^error: /m.test(documented)
    expect({ failed: exitCode !== 0, exitCode, output }).toMatchObject({ failed: fails })
    if (documented !== undefined) expectSame(normalise(output, shell.root), normalise(documented, shell.root))
  })
})

test('the README begins with the two commands that other tests cover', () => {
  const commands = readDocumentedCommands(readFileSync(join(repository, 'README.md'), 'utf8'))

  expect(commands.slice(0, 2).map(({ command }) => command)).toEqual([...coveredElsewhere.keys()])
})

function expectSame(actual: string, documented: string): void {
  if (!/^\s*…$/m.test(documented)) {
    expect(actual).toBe(documented)
    return
  }
  const pattern = documented
    .split('\n')
    .map((line) => (line.trim() === '…' ? '[^]*?' : line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)))
    .join('\n')
  expect(actual).toMatch(new RegExp(`^${pattern}$`))
}

/** Takes away what differs from one run, machine or day to the next. */
function normalise(text: string, root: string): string {
  return text
    .split('\n')
    .filter((line) => !dependsOnMachine.test(line))
    .join('\n')
    .replaceAll(root, '/home/you/drover')
    .replaceAll(/\b\d+ ms\b|\b\d+\.\d s\b/g, '<time>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replaceAll(/\bprocess \d+/g, 'process <pid>')
    .replaceAll(/(:\/\/\w+):[^@\s]+@/g, '$1:<password>@')
    .replaceAll(/\b\d{14}_(?=add_circle_capacity)/g, '<time>_')
    .replaceAll(/\b[0-9a-f]{12}\b/g, (id) => (knownIds.has(id) ? id : '<new id>'))
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd()
}

/** Steps of starting the server that not every machine takes, or not every time. */
const dependsOnMachine = /^server: (?:process \d+|user |copying )/

const knownIds = new Set(
  globSync('databases/*/migrations/*/revision.json', { cwd: repository }).map(
    (file) => (JSON.parse(readFileSync(join(repository, file), 'utf8')) as { readonly id: string }).id,
  ),
)
