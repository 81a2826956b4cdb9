import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { createPair, ids, type Pair } from './harness/pair.ts'
import { query } from './harness/query.ts'

/** A mistake that people make: what leads to it, and the words that they then type. */
interface Mistake {
  readonly words: readonly string[]
  readonly prepare?: (pair: Pair) => Promise<unknown>
}

const upgrade = (pair: Pair) => pair.migrate('upgrade')
/** Writes to a file of one of the revisions. */
const edit = (pair: Pair, folder: string | undefined, file: string, text: string) =>
  pair.write(`${folder}/${file}`, text)

/** What a stranger reads after the mistakes that are most likely to be made; the texts are in the folder `messages`. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'a command that does not exist': { words: ['upgrad'] },
  'an option that does not exist': { words: ['upgrade', '--dryrun'] },
  'a database that does not exist': { words: ['upgrade', '-d', 'apha'] },
  'a target that cannot be read': { words: ['upgrade', 'head~1'] },
  'a revision that does not exist': { words: ['upgrade', 'alpha/beef'] },
  'a label that does not exist': { words: ['upgrade', 'alpha/payments'] },
  'an abbreviation of two revisions': {
    words: ['show', 'alpha/a1a1'],
    prepare: (pair) => pair.addRevision('alpha', { id: 'a1a1ffffffff', message: 'create a3' }),
  },
  'a revision without its database': { words: ['upgrade', 'a1a1'] },
  'two heads': {
    words: ['upgrade'],
    prepare: async (pair) => {
      await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', message: 'create a3', parents: [ids.a1] })
    },
  },
  'more steps than there are': { words: ['downgrade', '-3', '-d', 'alpha'], prepare: upgrade },
  'a downgrade to what is not applied': { words: ['downgrade', 'alpha/a2a2'] },
  'a URL that is not set': {
    words: ['upgrade'],
    prepare: async (pair) => {
      delete pair.env['BETA_DATABASE_URL']
    },
  },
  'a server that does not run': {
    words: ['upgrade'],
    prepare: async (pair) => {
      pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/beta'
    },
  },
  'a database that its server does not have': {
    words: ['upgrade'],
    prepare: async (pair) => {
      pair.env['BETA_DATABASE_URL'] = pair.urls.beta.replace(/\/[^/]*$/, '/beta')
    },
  },
  'a comma too many in revision.json': {
    words: ['upgrade'],
    prepare: (pair) => edit(pair, pair.folders.alpha[1], 'revision.json', '{\n  "id": "a2a2a2a2a2a2",\n}\n'),
  },
  'a folder that was copied': {
    words: ['upgrade'],
    prepare: (pair) =>
      cp(join(pair.root, pair.folders.alpha[1]!), join(pair.root, `${pair.folders.alpha[1]}_copy`), {
        recursive: true,
      }),
  },
  'a parent that is missing': {
    words: ['upgrade'],
    prepare: (pair) => rm(join(pair.root, pair.folders.alpha[0]!), { recursive: true }),
  },
  'a file that is still to be filled in': {
    words: ['upgrade'],
    prepare: (pair) => edit(pair, pair.folders.alpha[1], 'migration.sql', '-- drover:unfilled\n'),
  },
  'a transaction of its own': {
    words: ['upgrade'],
    prepare: (pair) =>
      edit(pair, pair.folders.alpha[1], 'migration.sql', 'begin;\ncreate table a2 (id integer);\ncommit;\n'),
  },
  'a statement that fails': {
    words: ['upgrade', '--quiet'],
    prepare: (pair) => edit(pair, pair.folders.alpha[1], 'migration.sql', 'alter table a1\n  add column name txt;\n'),
  },
  'a revision that was edited after it was applied': {
    words: ['upgrade'],
    prepare: async (pair) => {
      await upgrade(pair)
      await edit(pair, pair.folders.alpha[1], 'migration.sql', 'create table a2 (id bigint);\n')
    },
  },
  'a comment that was edited after the revision was applied': {
    words: ['upgrade'],
    prepare: async (pair) => {
      await upgrade(pair)
      await edit(pair, pair.folders.alpha[1], 'migration.sql', '-- The second.\ncreate table a2 (id integer);\n')
    },
  },
  'an applied revision whose folder is gone': {
    words: ['upgrade'],
    prepare: async (pair) => {
      await upgrade(pair)
      await rm(join(pair.root, pair.folders.alpha[1]!), { recursive: true })
    },
  },
  'a revision that was merged below an applied one': {
    words: ['upgrade'],
    prepare: async (pair) => {
      await upgrade(pair)
      await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', message: 'create a3', parents: [ids.a1] })
      const record = { id: ids.a2, parents: ['a3a3a3a3a3a3'], message: 'create a2', created: '2026-11-01T00:00:02Z' }
      await edit(pair, pair.folders.alpha[1], 'revision.json', JSON.stringify(record))
    },
  },
  'a downgrade without a down.sql': {
    words: ['downgrade', '-d', 'alpha'],
    prepare: async (pair) => {
      await upgrade(pair)
      await rm(join(pair.root, pair.folders.alpha[1]!, 'down.sql'))
    },
  },
  'another run in the way': {
    words: ['downgrade', '-d', 'alpha', '--wait-lock', '0', '--quiet'],
    prepare: async (pair) => {
      await upgrade(pair)
      await query(
        pair.urls.alpha,
        `update drover.lease
set expires_at = now() + interval '1 hour', os_user = 'ada', host = 'deploy-7', pid = 4711, acquired_at = '2026-11-20T10:00:00Z'`,
      )
    },
  },
}

test.each(Object.entries(mistakes))('%s', async (name, { words, prepare }) => {
  await using pair = await createPair()
  await prepare?.(pair)

  const ended = await pair.migrate(...words)

  const text = `$ pnpm migrate ${words.join(' ')}\n${withoutChance(pair, ended.stderr)}exit code ${ended.exitCode}\n`
  await expect(text).toMatchFileSnapshot(`messages/${name.replaceAll(/[^a-z]+/gi, '-')}.txt`)
})

/** What differs from run to run gets a name. */
function withoutChance(pair: Pair, text: string): string {
  const urls = Object.entries(pair.urls).map(([name, url]) => [name, new URL(url)] as const)
  const named = urls.reduce(
    (rest, [name, url]) =>
      rest.replaceAll(url.pathname.slice(1), `${name}-database`).replaceAll(url.host, 'server:5432'),
    text.replaceAll(pair.root, '/workspace'),
  )
  return named.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '2026-11-20T10:00:00.000Z')
}
