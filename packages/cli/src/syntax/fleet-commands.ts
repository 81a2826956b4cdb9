import type { Command } from 'commander'

import type { Commands } from './commands.ts'
import { countOf, lockTimeoutOption, statementTimeoutOption } from './options.ts'
import { parseConnections, withChoice } from './tenant-commands.ts'

/** The commands that have tenants upgraded by any number of machines. */
export const fleetCommands: Commands = {
  fleet: ({ add }) => {
    withQueue(
      withChoice(
        add(
          'fleet enqueue [target]',
          'Put the tenants that lack something into the queue (default: to head).',
          'pnpm migrate fleet enqueue\npnpm migrate fleet enqueue --match "eu-*" --canary 5',
          async () => (await import('../commands/fleet-enqueue.ts')).enqueueFleet,
        ),
      ),
    ).option(
      '--canary <number>',
      'how many go first on each server; the others wait for them (default: 1)',
      countOf('a number of tenants, from 1'),
    )
    withQueue(
      add(
        'fleet worker',
        'Upgrade tenants from the queue, beside any number of other workers, until told to stop.',
        'pnpm migrate fleet worker\npnpm migrate fleet worker --drain --connections 8',
        async () => (await import('../commands/fleet-worker.ts')).workInFleet,
      ),
    )
      .option('--drain', 'end when nothing is left in the queue; with 1 if tenants failed')
      .option(
        '--connections <number>',
        'how many connections to each server, by all workers together (default: as database.ts says, or 4)',
        parseConnections,
      )
      .addOption(lockTimeoutOption())
      .addOption(statementTimeoutOption())
    withQueue(
      add(
        'fleet status',
        'Show how far the last release has come, and which tenants failed of what.',
        'pnpm migrate fleet status\npnpm migrate fleet status --json',
        async () => (await import('../commands/fleet-status.ts')).fleetStatus,
      ),
    )
    withQueue(
      add(
        'fleet cancel',
        'Take out of the queue what nobody has begun.',
        'pnpm migrate fleet cancel',
        async () => (await import('../commands/fleet-status.ts')).cancelFleet,
      ),
    )
    withQueue(
      add(
        'fleet retry',
        'Put the tenants back into the queue that have failed in the last release.',
        'pnpm migrate fleet retry',
        async () => (await import('../commands/fleet-status.ts')).retryFleet,
      ),
    )
  },
}

function withQueue(command: Command): Command {
  return command.option(
    '--queue <variable>',
    'the variable with the URL of the database that the queue is in (default: where the tenants are listed)',
  )
}
