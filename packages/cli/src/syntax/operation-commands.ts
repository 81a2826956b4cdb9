import type { CommonOptions, Session } from '../session.ts'
import type { Commands } from './commands.ts'
import { behindDashes } from './words.ts'
import {
  collect,
  jobsOption,
  lockAttemptsOption,
  lockTimeoutOption,
  noHooksOption,
  phaseOption,
  statementTimeoutOption,
  waitLockOption,
  withPatience,
} from './options.ts'

/** The commands around a run: servers, leases, containers, development. */
export const operationCommands: Commands = {
  repair: ({ add }) => {
    add(
      'repair',
      'Remember the files of applied revisions as they are now, where only comments or white space were edited.',
      'pnpm migrate repair --dry-run\npnpm migrate repair -d main',
      async () => (await import('../commands/repair.ts')).repair,
    )
      .option('--dry-run', 'show the files and change nothing')
      .addOption(waitLockOption())
  },
  wait: ({ add }) => {
    withPatience(
      add(
        'wait',
        'Wait until the servers of all databases answer.',
        'pnpm migrate wait\npnpm migrate wait -d main --tries 10 --interval 500ms',
        async () => (await import('../commands/wait.ts')).wait,
      ),
    )
  },
  start: ({ add, argv }) => {
    withPatience(
      add(
        'start [command...]',
        'Wait for the servers, upgrade, validate, then become the command: for containers.',
        'pnpm migrate start -- node server.js --port 3000\npnpm migrate start --strict --phase expand -- node server.js',
        async () => {
          const { start } = await import('../commands/start.ts')
          return (session: Session, options: CommonOptions, ...words: readonly string[]) =>
            start(session, options, behindDashes(argv), words)
        },
      )
        .usage('[options] -- <command...>')
        .option('--strict', 'do not start the command when critical tables are missing (default: warn)')
        .addOption(phaseOption())
        .addOption(waitLockOption('30m'))
        .addOption(lockTimeoutOption())
        .addOption(lockAttemptsOption())
        .addOption(statementTimeoutOption())
        .addOption(noHooksOption())
        .addOption(jobsOption()),
    )
  },
  lock: ({ add }) => {
    add(
      'lock <action>',
      'Who holds the databases: status; or take one away from a run that does: release.',
      'pnpm migrate lock status\npnpm migrate lock status --json\npnpm migrate lock release -d main',
      async () => (await import('../commands/lock.ts')).lock,
    ).option('-y, --yes', 'do not ask')
  },
  doctor: ({ add }) => {
    add(
      'doctor',
      'Look for what is not as it should be, with what to do about it: versions, configuration, connections, privileges, records.',
      'pnpm migrate doctor\npnpm migrate doctor -d main --json',
      async () => (await import('../commands/doctor.ts')).doctor,
    )
  },
  reset: ({ add }) => {
    add(
      'reset',
      'For development: drop databases with all that is in them, and build them again.',
      'pnpm migrate reset --dry-run\npnpm migrate reset -d main\npnpm migrate reset --yes --force',
      async () => (await import('../commands/reset.ts')).reset,
    )
      .option('-y, --yes', 'do not ask')
      .option('--dry-run', 'show what would be lost and change nothing')
      .option('--force', 'end the sessions that are connected')
      .option(
        '--remote <host>',
        'a host that is not this machine, on which databases may be lost (repeatable)',
        collect,
      )
  },
  server: ({ add }) => {
    add(
      'server <action> [database]',
      'The development server: start, stop, status, or url (of a database).',
      'pnpm migrate server status\npsql "$(pnpm --silent migrate server url main)"',
      async () => (await import('../commands/server.ts')).server,
    )
  },
}
