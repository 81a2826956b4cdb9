import { Option } from 'commander'

import type { Commands } from './commands.ts'

/** The commands that compare, prove and write down what histories build. */
export const checkCommands: Commands = {
  check: ({ add }) => {
    add(
      'check',
      'Check that files and databases agree: graph, one head, SQL filled in, nothing edited after it was applied.',
      'pnpm migrate check\npnpm migrate check --offline',
      async () => (await import('../commands/check.ts')).check,
    ).option('--offline', 'look at the files only, and at no database')
  },
  lint: ({ add }) => {
    add(
      'lint [revisions...]',
      'Look for statements that are unsafe on a database in use, and say the safe way.',
      'pnpm migrate lint\npnpm migrate lint --pending\npnpm migrate lint main/3f9c --down\npnpm migrate lint --range -2: -d main --json',
      async () => (await import('../commands/lint.ts')).lint,
    )
      .option('--range <a:b>', 'only from one target up to another, both included; an end left out is base or heads')
      .option('--pending', 'only what is not applied yet, which asks the databases')
      .option('--down', 'also look at the ways back')
  },
  validate: ({ add }) => {
    add(
      'validate',
      'Look for the tables that the application cannot live without, as database.ts declares them.',
      'pnpm migrate validate\npnpm migrate validate -d main --json',
      async () => (await import('../commands/validate.ts')).validate,
    )
  },
  'data-map': ({ add }) => {
    add(
      'data-map',
      'Show which columns hold personal data: what for, on which legal basis and for how long.',
      [
        'pnpm migrate data-map',
        'pnpm migrate data-map -d gdpr --json',
        'pnpm --silent migrate data-map -d gdpr --sql > columns.sql',
      ].join('\n'),
      async () => (await import('../commands/data-map.ts')).dataMap,
    ).addOption(new Option('--sql', 'print it as comments on the columns').conflicts('json'))
  },
  drift: ({ add }) => {
    add(
      'drift',
      'Compare the databases with shadows that are built from what is applied in them.',
      'pnpm migrate drift\npnpm migrate drift -d main --verbose',
      async () => (await import('../commands/drift.ts')).drift,
    )
  },
  rehearse: ({ add }) => {
    add(
      'rehearse [target]',
      'Upgrade, downgrade and upgrade copies of the databases: do schemas come back, how long does it take, what is locked?',
      [
        'pnpm migrate rehearse',
        'pnpm migrate rehearse +1 -d main --markdown',
        'pnpm migrate rehearse -d main --template main_of_last_night',
        'pnpm migrate rehearse -d main --on BRANCH_URL',
      ].join('\n'),
      async () => (await import('../commands/rehearse.ts')).rehearse,
    )
      .addOption(new Option('--template <database>', 'copy this database of the same server').conflicts(['from', 'on']))
      .addOption(
        new Option(
          '--from <url>',
          'copy the database at this URL, or in the variable of this name, by a dump',
        ).conflicts(['template', 'on']),
      )
      .addOption(
        new Option('--on <url>', 'make no copy: rehearse on this throw-away database, such as a branch').conflicts([
          'template',
          'from',
        ]),
      )
      .addOption(new Option('--markdown', 'print it for a comment on a pull request').conflicts('json'))
      .option('-y, --yes', 'do not ask')
  },
  snapshot: ({ add }) => {
    add(
      'snapshot',
      'Write the schema that a history builds as one SQL file, from which an empty database is made in one go.',
      [
        'pnpm migrate snapshot',
        'pnpm migrate snapshot -d main --dry-run',
        'pnpm migrate snapshot --initdb docker/initdb.d',
      ].join('\n'),
      async () => (await import('../commands/snapshot.ts')).snapshot,
    )
      .option('--dry-run', 'show what would be written and write nothing')
      .option('--initdb <folder>', 'also write what the image of PostgreSQL makes the test databases from')
  },
  access: ({ add }) => {
    add(
      'access',
      'Prove who can reach what, by trying every role on every database.',
      'pnpm migrate access\npnpm migrate access -d credentials --json',
      async () => (await import('../commands/access.ts')).access,
    )
  },
}
