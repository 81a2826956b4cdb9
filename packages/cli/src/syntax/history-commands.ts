import type { ExportFormat } from '@drover/engine'
import { Option } from 'commander'

import type { RevisionOptions } from '../commands/make-revision.ts'
import type { Commands } from './commands.ts'
import { collect, phases, waitLockOption } from './options.ts'

/** The commands that show histories and where databases stand, and that write revisions and records. */
export const historyCommands: Commands = {
  current: ({ add }) => {
    add(
      'current',
      'Show where each database stands.',
      'pnpm migrate current\npnpm migrate current --json\npnpm migrate current --check-heads',
      async () => (await import('../commands/current.ts')).current,
    ).option('--check-heads', 'exit with 4 unless every database is up to date')
  },
  history: ({ add }) => {
    add(
      'history',
      'Show the revisions of each database, newest first; on a terminal as a graph.',
      'pnpm migrate history -d main --verbose\npnpm migrate history -d main --range base+2:head --indicate-current',
      async () => (await import('../commands/history.ts')).history,
    )
      .option('--range <a:b>', 'only from one target up to another; an end that is left out is base or heads')
      .option('--indicate-current', 'say what is applied and what is current, which asks the databases')
      .addOption(
        new Option('--format <how>', 'how to show it (default: graph on a terminal, else list)').choices([
          'list',
          'graph',
          'mermaid',
          'dot',
        ]),
      )
      .option('--ascii', 'draw the graph without box characters, as is done where the locale is not UTF-8')
  },
  heads: ({ add }) => {
    add(
      'heads',
      'List the heads of each history.',
      'pnpm migrate heads\npnpm migrate heads --verbose',
      async () => (await import('../commands/history.ts')).heads,
    )
  },
  branches: ({ add }) => {
    add(
      'branches',
      'List where each history branches, and the labels of its branches.',
      'pnpm migrate branches -d main',
      async () => (await import('../commands/branches.ts')).branches,
    )
  },
  show: ({ add }) => {
    add(
      'show <revision>',
      'Show one revision: its place in the history and its files.',
      'pnpm migrate show main/3f9c',
      async () => (await import('../commands/history.ts')).show,
    )
  },
  revision: ({ add }) => {
    const revision = add(
      'revision [message]',
      'Make new revisions from the Drizzle schemas, with an up and a down that have been tried; one for each database that has changed.',
      [
        'pnpm migrate revision "add circle capacity"',
        'pnpm migrate revision-creds "rename it" --rename tokens.value=tokens.digest',
        'pnpm migrate revision "fill in the slugs" -d main --empty',
        'pnpm migrate revision "move the images" -d main --ts',
        'pnpm migrate revision "add invoices" --empty --head main/3f9c --splice \\',
        '  --branch-label billing --depends-on credentials/head',
      ].join('\n'),
      async (options: RevisionOptions) => (await import('../commands/revision.ts')).beginRevision(options),
    )
      .option('--empty', 'write empty files to fill in')
      .addOption(new Option('--sql', 'the same as --empty').implies({ empty: true }).conflicts('ts'))
      .addOption(
        new Option('--ts', 'write a migration.ts to fill in, for data that needs code').implies({ empty: true }),
      )
      .option(
        '--rename <old=new>',
        'what is new is something old under another name: users.name=users.full_name (repeatable)',
      )
      .option('--no-rename', 'everything else that is new is new, and what is gone is dropped')
      .option(
        '--concurrently',
        'make indexes on tables that exist without blocking writers, in a revision of their own',
      )
      .option('--no-proof', 'do not try the SQL on a shadow, and say so in revision.json')
      .option('--adopt', 'add what is missing to the folders that drizzle-kit generate has made')
      .option('--head <target>', 'what it comes after (default: the head); base starts a history of its own')
      .option('--splice', 'let it come after a revision that is no head, which starts a branch')
      .option('--branch-label <label>', 'a name for its branch (repeatable)', collect)
      .option('--depends-on <revision>', 'what else must be applied first (repeatable)', collect)
      .addOption(
        new Option('--phase <phase>', 'when it may run, around a deploy (default: at any time)')
          .choices(phases)
          .conflicts('adopt'),
      )
    // Commander takes the two for one option with two values, and they can be said together.
    let renames: readonly string[] = []
    revision.on('option:rename', (text: string) => {
      renames = collect(text, renames)
      revision.setOptionValue('renames', renames)
    })
    revision.on('option:no-rename', () => revision.setOptionValue('allNew', true))
  },
  merge: ({ add }) => {
    add(
      'merge [revisions...]',
      'Join branches with a revision that changes nothing itself (default: all heads of the database).',
      'pnpm migrate merge -d main\npnpm migrate merge main/3f9c main/billing@head -m "merge billing"',
      async () => (await import('../commands/merge.ts')).merge,
    ).option('-m, --message <text>', 'what it says it does (default: what it joins)')
  },
  stamp: ({ add }) => {
    add(
      'stamp <targets...>',
      'Record that databases stand at the targets, without running anything.',
      'pnpm migrate stamp head -d main\npnpm migrate stamp gdpr/3f9c main/base --dry-run\npnpm migrate stamp heads --purge',
      async () => (await import('../commands/stamp.ts')).stamp,
    )
      .option('--purge', 'forget everything that is recorded first')
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'show what would be recorded and change nothing')
      .addOption(waitLockOption())
  },
  adopt: ({ add }) => {
    add(
      'adopt [folder]',
      'Take over the history of drizzle-kit or Alembic: a folder of theirs, or without one what their table says is applied.',
      [
        'pnpm migrate adopt legacy/drizzle -d main',
        'pnpm migrate adopt -d main --dry-run',
        'pnpm migrate adopt -d main --baseline',
      ].join('\n'),
      async () => (await import('../commands/adopt.ts')).adopt,
    )
      .option('--table <name>', 'the table that says what is applied, when it has another name than the tool gives it')
      .option('--accept-edited', 'count revisions as applied whose files were edited since the other tool ran them')
      .option('--baseline', 'make a first revision from the schema of the database as it is')
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'show what would be taken over and change nothing')
      .addOption(waitLockOption())
  },
  export: ({ add }) => {
    add(
      'export',
      'Write the history of a database as files for another runner, such as goose, dbmate or Flyway.',
      [
        'pnpm migrate export --format dbmate -d main --out ../api/db/migrations',
        'pnpm migrate export --format flyway -d tenant --out tenant-sql --dry-run',
        'pnpm migrate export --format sql -d tenant --schema tenant_acme --out acme',
      ].join('\n'),
      async () => (await import('../commands/export.ts')).exportDatabase,
    )
      .addOption(new Option('--format <runner>', 'who is to run them').choices(exportFormats).makeOptionMandatory())
      .requiredOption('--out <folder>', 'where they are written; what an earlier export has left there is replaced')
      .option(
        '--schema <name>',
        'the schema that names without one are in (default: of tenants a placeholder, else none)',
      )
      .option('--dry-run', 'show what would be written and write nothing')
  },
}

// Written out, so that help loads no other package.
const exportFormats = ['sql', 'golang-migrate', 'goose', 'dbmate', 'flyway'] as const satisfies readonly ExportFormat[]
