import { spawnSync } from 'node:child_process'
import { cp, glob, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { repository } from './harness/repository-databases.ts'

const byName = `export * from '@databases/credentials'\n`

test('the packages of the repository keep to what its configuration allows', async () => {
  const copy = await copyRepository()

  expect(copy.boundaries()).toMatchObject({ exitCode: 0, output: expect.stringContaining('no issues found') })
})

test.each([
  ['by name', byName],
  ['by name, when it is run', `export const stolen = await import('@databases/credentials')\n`],
  ['its types', `export type * from '@databases/credentials'\n`],
  ['by path', `export * from '../../../databases/credentials/src/index.ts'\n`],
])('an import of the credentials %s fails in a package that has not declared it', async (_, text) => {
  const copy = await copyRepository()
  await copy.write('packages/intruder/package.json', manifest())
  await copy.write('packages/intruder/src/index.ts', text)

  expect(copy.boundaries()).toMatchObject({ exitCode: 1, output: expect.stringMatching(/cannot import|leaves the/) })
  expect(copy.lint('packages/intruder/src/index.ts')).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('no-restricted-imports'),
  })
})

test.each([
  ['any package', 'packages/intruder', undefined],
  ['one that may use the other databases', 'packages/intruder', 'outside'],
  ['one that says of itself that it may', 'packages/intruder', 'credentials'],
  ['a database', 'databases/intruder', 'database'],
])(
  'a dependency on the credentials fails in %s, until the configuration of the repository names it',
  async (...row) => {
    const [, folder, tag] = row
    const copy = await copyRepository()
    await copy.write(`${folder}/package.json`, manifest({ '@databases/credentials': 'workspace:*' }))
    await copy.write(`${folder}/src/index.ts`, byName)
    if (tag !== undefined) await copy.write(`${folder}/turbo.json`, JSON.stringify({ extends: ['//'], tags: [tag] }))

    expect(copy.boundaries()).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('`@repository/intruder` found without any tag listed in allowlist'),
    })
    expect(copy.lint(`${folder}/src/index.ts`)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('no-restricted-imports'),
    })
  },
)

test('a package that the configuration names may depend on the credentials', async () => {
  const copy = await copyRepository()
  await copy.write('packages/intruder/package.json', manifest({ '@databases/credentials': 'workspace:*' }))
  await copy.write('packages/intruder/turbo.json', JSON.stringify({ extends: ['//'], tags: ['outside'] }))
  await copy.write('packages/intruder/src/index.ts', byName)
  const rules = await readFile(join(copy.root, 'turbo.json'), 'utf8')
  await copy.write('turbo.json', rules.replace(/("credentials": .*"allow": \[)/, '$1"@repository/intruder", '))

  expect(copy.boundaries()).toMatchObject({ exitCode: 0 })
})

test.each(['packages/cli/src', 'databases/main/src', 'databases/main', 'scripts', 'bench', 'apps/web/src'])(
  'the linter finds an import of the credentials in %s',
  async (folder) => {
    const copy = await copyRepository()
    await copy.write(`${folder}/intruder.ts`, byName)

    expect(copy.lint(`${folder}/intruder.ts`)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(`'@databases/credentials' import is restricted`),
    })
  },
)

interface Copy {
  readonly root: string
  write(path: string, text: string): Promise<void>
  boundaries(): Checked
  lint(path: string): Checked
}

interface Checked {
  readonly exitCode: number | null
  readonly output: string
}

/** A copy of what says which package may use which, and of the sources of databases and scripts. */
async function copyRepository(): Promise<Copy> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'drover-separation-')))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const patterns = [
    '*.{json,yaml}',
    '.oxlintrc.json',
    '{packages,databases}/*/{package,turbo}.json',
    '{e2e,bench,scripts}/{package,turbo}.json',
    'databases/*/src/**/*.ts',
    'scripts/*.ts',
    'e2e/databases/*.ts',
  ]
  for await (const path of glob(patterns, { cwd: repository })) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await cp(join(repository, path), join(root, path))
  }
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'))
  const check = (program: string, ...args: readonly string[]): Checked => {
    const { status, stdout, stderr } = spawnSync(join(repository, 'node_modules', '.bin', program), args, {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TURBO_TELEMETRY_DISABLED: '1', NO_COLOR: '1' },
    })
    // Long lines are folded where a terminal would end.
    return { exitCode: status, output: `${stdout}${stderr}`.replaceAll(/\s*\n[\s|]*/g, ' ') }
  }
  return {
    root,
    write: async (path, text) => {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    },
    boundaries: () => check('turbo', 'boundaries'),
    lint: (path) => check('oxlint', path),
  }
}

function manifest(dependencies: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ name: '@repository/intruder', version: '0.0.0', type: 'module', dependencies })
}
