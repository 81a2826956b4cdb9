import { execFileSync, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, type TestContext, test } from 'vitest'

import { createPair, expectFailure, ids } from './harness/pair.ts'
import { query, readApplied } from './harness/query.ts'
import { createWorkspace, type TestWorkspace } from './harness/workspace.ts'

const escape = String.fromCodePoint(27)
/** A program of util-linux that runs another on a terminal of its own. */
const terminalProgram = 'script'
const question = 'Revert these revisions? [y/N]'

interface OnTerminal {
  readonly exitCode: number | null
  /** Everything that was on the screen: a terminal has one stream. */
  readonly screen: string
}

/** What a question ends with: how it can be answered. */
const prompts = /\[(?:y\/N|1-\d+)\] /g

/** Runs the command line on a terminal that `script` makes, and types `keys`; of several, one for each question in turn. */
async function onTerminal(
  context: TestContext,
  workspace: Pick<TestWorkspace, 'root' | 'env'>,
  words: string,
  { keys = [], env = {} }: { readonly keys?: string | readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<OnTerminal> {
  context.skip(!hasScript(), 'it needs "script" of util-linux to make a terminal')
  const program = join(import.meta.dirname, '..', 'scripts', 'migrate.ts')
  const child = spawn(
    terminalProgram,
    ['--quiet', '--return', '--command', `"$NODE" "$PROGRAM" ${words}`, '/dev/null'],
    {
      cwd: workspace.root,
      env: { ...workspace.env, TERM: 'xterm', SHELL: '/bin/sh', NODE: process.execPath, PROGRAM: program, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  let screen = ''
  const untyped = [keys].flat()
  let answered = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    if ((screen.match(prompts)?.length ?? 0) === answered || untyped.length === 0) return
    answered += 1
    child.stdin.write(untyped.shift()!)
  })
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { exitCode, screen: screen.replaceAll('\r\n', '\n') }
}

function hasScript(): boolean {
  try {
    return execFileSync(terminalProgram, ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
}

/** A database with a table of people, whose names the schema now has in other columns. */
async function createShop(columns: string): Promise<TestWorkspace> {
  const workspace = await createWorkspace()
  await workspace.addDatabase('shop', { schema: schemaOf('name: text()') })
  expect(await workspace.migrate('revision', 'add people', '--no-proof')).toMatchObject({ exitCode: 0 })
  await workspace.write('databases/shop/schema.ts', schemaOf(columns))
  return workspace
}

function schemaOf(columns: string): string {
  return `import { integer, pgTable, text } from 'drizzle-orm/pg-core'

export const people = pgTable('people', { id: integer().primaryKey(), ${columns} })
`
}

/** The ways up of its revisions, oldest first. */
async function readUps({ root }: TestWorkspace): Promise<readonly string[]> {
  const migrations = join(root, 'databases', 'shop', 'migrations')
  const folders = (await readdir(migrations)).toSorted()
  return Promise.all(folders.map((folder) => readFile(join(migrations, folder, 'migration.sql'), 'utf8')))
}

describe('colour', () => {
  test('without a terminal there is none, unless it is asked for', async () => {
    await using pair = await createPair()
    const missing = ['current', '-d', 'gamma']

    for (const words of [['upgrade'], ['current'], ['check'], missing, [...missing, '--color', 'never']]) {
      const { stdout, stderr } = await pair.migrate(...words)
      expect(stdout + stderr).not.toContain(escape)
    }
    const always = await pair.migrate('current', '--color', 'always')
    expect(always.stdout).toContain(`${escape}[32mup to date${escape}[39m`)
    expect((await pair.migrate(...missing, '--color', 'always')).stderr).toContain(`${escape}[31merror:${escape}[39m`)
    expect((await pair.migrate('current', '--color', 'always', '--json')).stdout).not.toContain(escape)
  })

  test('a terminal is painted on, but for NO_COLOR and --color never', async (context) => {
    await using pair = await createPair()

    const painted = await onTerminal(context, pair, 'upgrade')
    const plain = await onTerminal(context, pair, 'current', { env: { NO_COLOR: '1' } })
    const never = await onTerminal(context, pair, 'current --color never')
    const always = await onTerminal(context, pair, 'current --color always', { env: { NO_COLOR: '1' } })

    expect(painted.exitCode).toBe(0)
    expect(painted.screen).toContain(`${escape}[32mapplied `)
    expect(painted.screen).toMatch(/create a2 .*\(\d+ ms\)/)
    expect(plain.screen).toBe(`alpha  ${ids.a2} (head)  up to date\nbeta   ${ids.b2} (head)  up to date\n`)
    expect(never.screen).toBe(plain.screen)
    expect(always.screen).toContain(escape)
  })
})

test.for([
  ['y\r', 0],
  ['n\r', 3],
] as const)('a reset on a terminal shows what is lost and asks; %j ends with %i', async ([keys, exitCode], context) => {
  await using pair = await createPair()
  await pair.migrate('upgrade')
  await query(pair.urls.beta, 'create table drifted ()')

  const ended = await onTerminal(context, pair, 'reset -d beta --color never', { keys })

  expect(ended.screen).toMatch(/^beta: \S+ is dropped, with all that is in it \(\d tables, /)
  expect(ended.screen).toContain('Drop all this for good, and build it again? [y/N]')
  expect(ended.exitCode).toBe(exitCode)
  const [row] = await query(pair.urls.beta, `select to_regclass('drifted') is not null as found`)
  expect(row!['found']).toBe(exitCode !== 0)
})

describe('a downgrade on a terminal shows what is lost and asks', () => {
  test.for([
    ['y\r', 0],
    ['YES\r', 0],
    ['n\r', 3],
    ['\r', 3],
    ['yes please\r', 3],
    ['\u0004', 3],
    ['\u0003', 130],
  ] as const)('%j ends with %i', async ([keys, exitCode], context) => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await pair.remember()

    const ended = await onTerminal(context, pair, 'downgrade -d beta --color never', { keys })

    const warning = `beta: will revert 1 revision\n  ${ids.b2} create b2\n    loses data: drop table b2\n`
    expect(ended.screen).toContain(warning)
    expect(ended.exitCode).toBe(exitCode)
    if (exitCode === 0) {
      expect(await readApplied(pair.urls.beta)).toEqual([ids.b1])
      return
    }
    const error = exitCode === 3 ? 'not confirmed: nothing was changed' : 'interrupted'
    expect(ended.screen).toContain(`\nerror: ${error}\n  next: `)
    await pair.expectUnchanged()
  })

  test('--quiet does not hide what one is asked to agree to', async (context) => {
    await using pair = await createPair()
    await pair.migrate('upgrade')

    const ended = await onTerminal(context, pair, 'downgrade -d beta --quiet --color never', { keys: 'n\r' })

    expect(ended).toMatchObject({ exitCode: 3, screen: expect.stringContaining('loses data: drop table b2\n') })
  })

  test('nobody is asked with --yes, with --dry-run, or when there is nothing to revert', async (context) => {
    await using pair = await createPair()
    await pair.migrate('upgrade')

    for (const words of ['downgrade base --dry-run', 'downgrade base --yes', 'downgrade']) {
      const ended = await onTerminal(context, pair, words)
      expect(ended.exitCode).toBe(0)
      expect(ended.screen).not.toContain(question)
    }
    expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[], []])
  })
})

describe('a stamp on a terminal shows what it records and asks', () => {
  test.for([
    ['y\r', 0, ['a1a1a1a1a1a1', 'a2a2a2a2a2a2']],
    ['n\r', 3, []],
    ['\u0003', 130, []],
  ] as const)('%j ends with %i', async ([keys, exitCode, applied], context) => {
    await using pair = await createPair()

    const ended = await onTerminal(context, pair, 'stamp head -d alpha --quiet --color never', { keys })

    expect(ended.screen).toContain(`alpha: will record 2 revisions, without running\n  ${ids.a1} create a1\n`)
    expect(ended.screen).toContain('Change these records? [y/N]')
    expect(ended.exitCode).toBe(exitCode)
    expect((await readApplied(pair.urls.alpha)).toSorted()).toEqual(applied)
  })

  test('nobody is asked with --yes, with --dry-run, or when there is nothing to record', async (context) => {
    await using pair = await createPair()

    for (const words of ['stamp head --dry-run', 'stamp head --yes', 'stamp head']) {
      const ended = await onTerminal(context, pair, words)
      expect(ended).toMatchObject({ exitCode: 0, screen: expect.not.stringContaining('[y/N]') })
    }
  })
})

describe('a revision on a terminal asks where what is new comes from', () => {
  const origin = `shop: where does the column "full_name" of table "people" come from?
  1  it is new
  2  it was the column "name" of table "people", and keeps what is in it
Which one? [1-2] `
  // Proofs come after all questions, and are tested elsewhere.
  const revision = 'revision "say full names" --no-proof --color never'

  test.for([
    ['2\r', ['ALTER TABLE "people" RENAME COLUMN "name" TO "full_name";']],
    ['1\r', ['ALTER TABLE "people" ADD COLUMN "full_name" text;', 'ALTER TABLE "people" DROP COLUMN "name";']],
  ] as const)('%j writes %j', async ([keys, statements], context) => {
    await using shop = await createShop(`fullName: text('full_name')`)

    const ended = await onTerminal(context, shop, revision, { keys })

    expect(ended).toMatchObject({ exitCode: 0, screen: expect.stringContaining(origin) })
    const [, up] = await readUps(shop)
    expect(up!.match(/^ALTER .*$/gm)).toEqual(statements)
  })

  test('what cannot be an answer is asked again', async (context) => {
    await using shop = await createShop(`fullName: text('full_name')`)

    const ended = await onTerminal(context, shop, revision, { keys: ['\r', '3\r', 'yes\r', '2\r'] })

    expect(ended.exitCode).toBe(0)
    expect(ended.screen.split(origin)).toHaveLength(5)
    expect(await readUps(shop)).toHaveLength(2)
  })

  test.for(['\u0003', '\u0004'])('%j instead of an answer ends with 130 and writes nothing', async (keys, context) => {
    await using shop = await createShop(`fullName: text('full_name')`)

    const ended = await onTerminal(context, shop, revision, { keys })

    expect(ended.screen).toContain('\nerror: interrupted\n  next: ')
    expect(ended.exitCode).toBe(130)
    expect(await readUps(shop)).toHaveLength(1)
  })

  test('one question after the other, each with an answer of its own', async (context) => {
    await using shop = await createShop(`first: text('first_name'), last: text('last_name')`)

    const ended = await onTerminal(context, shop, revision, { keys: ['2\r', '1\r'] })

    expect(ended.exitCode).toBe(0)
    const [, up] = await readUps(shop)
    expect(up!.match(/^ALTER .*$/gm)?.toSorted()).toEqual([
      'ALTER TABLE "people" ADD COLUMN "last_name" text;',
      'ALTER TABLE "people" RENAME COLUMN "name" TO "first_name";',
    ])
  })

  test('nobody is asked with an option that answers, nor with --json', async (context) => {
    await using shop = await createShop(`fullName: text('full_name')`)

    const json = await onTerminal(context, shop, `${revision} --json`)
    const told = await onTerminal(context, shop, `${revision} --rename people.name=people.full_name`)

    expect(json).toMatchObject({ exitCode: 2, screen: expect.not.stringContaining('[1-2]') })
    expect(told).toMatchObject({ exitCode: 0, screen: expect.not.stringContaining('[1-2]') })
  })
})

describe('a downgrade without a terminal', () => {
  test('shows what is lost and goes on, because a program has asked for it', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade')

    const ended = await pair.migrate('downgrade', '-d', 'beta')

    expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('loses data: drop table b2\n') })
    expect(ended.stdout).toMatch(/^beta {2}1 revision reverted$/m)
  })

  test('of a protected database is refused with 3, others included, until --yes is given', async () => {
    await using pair = await createPair()
    await pair.write(
      'databases/beta/database.ts',
      `export default { name: 'beta', after: ['alpha'], protected: true }\n`,
    )
    await pair.migrate('upgrade')
    await pair.remember()

    const ended = await pair.migrate('downgrade', '--json')
    expectFailure(ended, 3, 'beta: the database is protected: nothing was changed', 'confirm the downgrade with --yes')
    expect(ended.json().error.code).toBe('NOT_CONFIRMED')
    await pair.expectUnchanged()

    expect(await pair.migrate('downgrade', '-d', 'alpha')).toMatchObject({ exitCode: 0 })
    expect(await pair.migrate('downgrade', '-d', 'beta', '--yes')).toMatchObject({ exitCode: 0 })
    expect([await readApplied(pair.urls.alpha), await readApplied(pair.urls.beta)]).toEqual([[ids.a1], [ids.b1]])
  })
})
