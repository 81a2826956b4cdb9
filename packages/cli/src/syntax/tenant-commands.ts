import { type Command, InvalidArgumentError, Option } from 'commander'

import type { Commands } from './commands.ts'
import {
  collect,
  countOf,
  lockAttemptsOption,
  lockTimeoutOption,
  parseDuration,
  phaseOption,
  statementTimeoutOption,
  tenantOption,
  waitLockOption,
} from './options.ts'

/** The commands for databases whose history is applied to tenants. */
export const tenantCommands: Commands = {
  tenant: ({ add }) => {
    withChoice(
      add(
        'tenant list',
        'Show the tenants, and where each of them is.',
        'pnpm migrate tenant list\npnpm migrate tenant list --match "eu-*" --state behind --json',
        async () => (await import('../commands/tenant-list.ts')).listTenants,
      ),
    ).addOption(
      new Option('--state <state>', 'only those in this state').choices([
        'up-to-date',
        'behind',
        'ahead',
        'diverged',
        'unusable',
      ]),
    )
    withChoice(
      add(
        'tenant current',
        'Show where the tenants stand: how many are where, and who is behind.',
        'pnpm migrate tenant current\npnpm migrate tenant current --check-heads',
        async () => (await import('../commands/current.ts')).tenantCurrent,
      ),
    ).option('--check-heads', 'exit with 4 unless all of them are at their heads')
    add(
      'tenant create <slug>',
      'Make a tenant: its row, its schema or database, its role, and all revisions up to head.',
      'pnpm migrate tenant create acme --set name="Acme Inc."',
      async () => (await import('../commands/tenant-create.ts')).createTenant,
    ).option('--set <column=value>', 'what its row is to hold besides the slug (repeatable)', collect)
    withFanOut(
      add(
        'tenant upgrade [target]',
        'Apply what is missing to the tenants, many at a time (default: to head).',
        'pnpm migrate tenant upgrade --canary 10\npnpm migrate tenant upgrade --match "eu-*" --rate 50\npnpm migrate tenant upgrade --retry-failed',
        async () => (await import('../commands/tenant-move.ts')).tenantUpgrade,
      ),
    )
      .addOption(phaseOption())
      .option('--allow-out-of-order', 'also apply revisions that were put below applied ones')
    withFanOut(
      add(
        'tenant downgrade [target]',
        'Revert revisions of the tenants, many at a time (default: -1, the last of each).',
        'pnpm migrate tenant downgrade -1 --tenant acme',
        async () => (await import('../commands/tenant-move.ts')).tenantDowngrade,
      ),
    )
    withChoice(
      add(
        'tenant verify',
        'Prove that the schemas of the tenants are what the history makes, and that no tenant sees another.',
        'pnpm migrate tenant verify\npnpm migrate tenant verify --tenant acme,globex --json',
        async () => (await import('../commands/tenant-verify.ts')).verifyTenants,
      ),
    )
    add(
      'tenant drop <slug>',
      'Drop a tenant with all that it has, after writing its rows into a file.',
      'pnpm migrate tenant drop acme --export acme.sql\npnpm migrate tenant drop acme --no-export --yes',
      async () => (await import('../commands/tenant-drop.ts')).dropTenant,
    )
      .option('--export <file>', 'write its rows to this file first (default: <slug>-<time>.sql)')
      .option('--no-export', 'keep nothing of it')
      .option('--dry-run', 'show what would be lost and change nothing')
      .option('-y, --yes', 'do not ask')
  },
}

/** Which tenants are meant, where that may be many. */
export function withChoice(command: Command): Command {
  return command
    .addOption(tenantOption())
    .option('--match <pattern>', 'only those whose slug is like this, with * and ? (repeatable)', collect)
    .option('--sample <number>', 'only so many, picked at random', countOf('a number of tenants, from 1'))
}

/** How many tenants are worked on. */
function withFanOut(command: Command): Command {
  return withChoice(command)
    .option('--retry-failed', 'only those that did not get there in the last run')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would be done and change nothing')
    .option(
      '--canary <number>',
      'how many go first and have to succeed; "spread": the largest, the smallest and a random one (default: 1)',
      parseCanary,
    )
    .option(
      '--wave <number>',
      'how many go between two looks at whether to go on (default: 1000)',
      countOf('a number of tenants, from 1'),
    )
    .option(
      '--max-failures <number>',
      'how many may fail before no other is begun (default: 10)',
      countOf('a number of tenants, from 1'),
    )
    .addOption(
      new Option('--on-failure <what>', 'stop at --max-failures, or go on whatever fails')
        .choices(['stop', 'continue'])
        .default('stop'),
    )
    .option(
      '--give-up-after <duration>',
      'how long a server may be away before its tenants are left for another run (default: 30s)',
      parseDuration,
    )
    .option(
      '--connections <number>',
      'how many connections to each server (default: as database.ts says, or 4)',
      parseConnections,
    )
    .option(
      '--rate <number>',
      'begin at most so many in a second (default: no limit)',
      countOf('a number of tenants, from 1'),
    )
    .option('--pause <duration>', 'how long to wait between waves (default: none)', parseDuration)
    .option('--no-gate', 'do not compare the schemas of those that are done')
    .addOption(lockTimeoutOption())
    .addOption(lockAttemptsOption())
    .addOption(statementTimeoutOption())
    .addOption(waitLockOption())
}

function parseCanary(text: string): number | 'spread' {
  return text === 'spread' ? text : countOf('a number of tenants, from 1, or "spread"')(text)
}

/** Reads how many connections to one server there may be. */
export function parseConnections(text: string): number {
  const connections = countOf('a number from 1 to 16')(text)
  if (connections > 16) throw new InvalidArgumentError('It is a number from 1 to 16.')
  return connections
}
