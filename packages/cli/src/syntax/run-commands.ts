import { Option } from 'commander'

import type { Commands } from './commands.ts'
import { withRunOptions, phaseOption, fromSnapshotOption, tenantOption, withOtherWays } from './options.ts'

/** The commands that change databases by their histories. */
export const runCommands: Commands = {
  init: ({ add }) => {
    withRunOptions(
      add(
        'init',
        'Create missing databases with their roles and grants, then upgrade to head.',
        'pnpm migrate init\npnpm migrate init -d credentials\npnpm --silent migrate init --sql > roles.sql',
        async () => (await import('../commands/release.ts')).init,
      ),
    )
      .option('--sql', 'print what makes databases, roles and grants as a script for psql instead')
      .addOption(fromSnapshotOption().conflicts('sql'))
  },
  upgrade: ({ add }) => {
    withOtherWays(
      withRunOptions(
        add(
          'upgrade [target]',
          'Apply what is missing, database by database, up to the target (default: head).',
          'pnpm migrate upgrade\npnpm migrate upgrade +1 -d gdpr\npnpm migrate upgrade --plan plan.json\npnpm migrate upgrade base:head --sql -d gdpr',
          async () => (await import('../commands/release.ts')).upgrade,
        ),
      )
        .option('--allow-out-of-order', 'also apply revisions that were put below applied ones')
        .addOption(phaseOption())
        .addOption(tenantOption())
        .addOption(fromSnapshotOption().conflicts(['plan', 'sql', 'abandon'])),
    )
  },
  downgrade: ({ add }) => {
    withOtherWays(
      withRunOptions(
        add(
          'downgrade [target]',
          'Revert, in reverse order and whatever their phase, down to the target (default: -1, the last revision of each database).',
          'pnpm migrate downgrade\npnpm migrate downgrade base -d gdpr\npnpm migrate downgrade head:base --sql -d gdpr',
          async () => (await import('../commands/release.ts')).downgrade,
        ),
      ).addOption(tenantOption()),
    )
  },
  plan: ({ add }) => {
    add(
      'plan [target]',
      'Show what an upgrade would do (default: to head), or with --downgrade a downgrade (default: -1).',
      'pnpm migrate plan\npnpm migrate plan --out plan.json\npnpm migrate plan --check --markdown',
      async () => (await import('../commands/plan.ts')).plan,
    )
      .option('--downgrade', 'plan a downgrade')
      .option('--out <file>', 'write the plan to a file, for upgrade --plan or downgrade --plan')
      .option('--check', 'exit with 4 when there is anything to do')
      .addOption(new Option('--markdown', 'print it for a comment on a pull request').conflicts('json'))
      .addOption(
        new Option('--allow-out-of-order', 'also apply revisions that were put below applied ones').conflicts(
          'downgrade',
        ),
      )
      .addOption(phaseOption().conflicts('downgrade'))
  },
}
