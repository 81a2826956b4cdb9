import type { Phase } from '@drover/history'
import { type Command, InvalidArgumentError, Option } from 'commander'

export function withCommonOptions(command: Command): Command {
  return command
    .option('-d, --database <name>', 'only this database (repeatable, or separated by commas)', collect)
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'no progress')
    .option('-v, --verbose', 'more detail, and the notices of the servers')
    .addOption(new Option('--color <when>', 'paint the output').choices(['auto', 'always', 'never']).default('auto'))
    .addOption(
      new Option('--log <how>', 'how progress, warnings and errors are written on stderr')
        .choices(['text', 'json'])
        .default('text'),
    )
}

export function withRunOptions(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show the steps and change nothing')
    .addOption(lockTimeoutOption())
    .addOption(lockAttemptsOption())
    .option(
      '--kill-blockers-after <duration>',
      'end sessions that hold a lock it needs and have been idle in a transaction for so long (default: none)',
      parseDuration,
    )
    .addOption(statementTimeoutOption())
    .addOption(waitLockOption())
    .addOption(
      new Option('--transaction <scope>', 'what has a transaction of its own: each revision, or all of a database')
        .choices(['per-revision', 'all'])
        .default('per-revision'),
    )
    .addOption(noHooksOption())
    .addOption(jobsOption())
    .addOption(
      new Option('--on-failure <what>', 'what becomes of the other databases when one fails')
        .choices(['stop', 'continue', 'rollback'])
        .default('stop'),
    )
}

export function lockTimeoutOption(): Option {
  const what = 'how long a statement waits for a lock before it is tried again (default: 100ms)'
  return new Option('--lock-timeout <duration>', what).argParser(parseDuration)
}

export function lockAttemptsOption(): Option {
  const what = 'how often a revision is tried that cannot have a lock (default: 30)'
  return new Option('--lock-attempts <number>', what).argParser(countOf('a number from 1'))
}

export function statementTimeoutOption(): Option {
  const what = 'how long a statement may take (default: no limit)'
  return new Option('--statement-timeout <duration>', what).argParser(parseDuration)
}

/** @param usual what the command does without it */
export function waitLockOption(usual = '1m'): Option {
  const what = `how long to wait for another run (default: ${usual})`
  return new Option('--wait-lock <duration>', what).argParser(parseDuration)
}

export function noHooksOption(): Option {
  return new Option('--no-hooks', 'run none of the hooks that database.ts and drover.config.ts declare')
}

export function jobsOption(): Option {
  const what = 'how many databases to work on at the same time (default: 4)'
  return new Option('--jobs <number>', what).argParser(countOf('a number of databases, from 1'))
}

// Written out, so that help loads no other package.
export const phases = ['expand', 'backfill', 'contract'] as const satisfies readonly Phase[]

/** How far an upgrade goes around a deploy. */
export function phaseOption(): Option {
  return new Option('--phase <phase>', 'run nothing of a later phase, nor what comes after it').choices(phases)
}

/** Which tenants are meant. */
export function tenantOption(): Option {
  const what = 'only this tenant (repeatable, or separated by commas; default: TENANT_ID, or all)'
  return new Option('--tenant <slug>', what).argParser(collect)
}

/** How an empty database is made. */
export function fromSnapshotOption(): Option {
  return new Option('--from-snapshot', 'make empty databases from their schema.sql, and record its revisions')
}

/** Doing what was planned before, or writing down what would be done. */
export function withOtherWays(command: Command): Command {
  return command
    .addOption(
      new Option('--plan <file>', 'do what a file of "plan --out" says, and nothing else').conflicts([
        'allowOutOfOrder',
        'phase',
      ]),
    )
    .addOption(
      new Option('--resume', 'go on with a revision whose statements are not all done').conflicts(['plan', 'sql']),
    )
    .addOption(
      new Option('--abandon', 'forget that a revision was begun whose statements are not all done').conflicts([
        'plan',
        'sql',
        'resume',
        'phase',
        'allowOutOfOrder',
      ]),
    )
    .option('--sql', 'print a script for psql instead; for a range <a:b> without any server')
    .option('--out-dir <folder>', 'with --sql: write a script for each database into a folder')
}

/** How long servers are waited for. */
export function withPatience(command: Command): Command {
  return command
    .option(
      '--tries <number>',
      'how often each server is tried (default: DB_MAX_RETRIES, or 30)',
      countOf('a number of tries, from 1'),
    )
    .option('--interval <duration>', 'the time between two tries (default: DB_RETRY_INTERVAL, or 2s)', parseDuration)
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Reads a number from 1; `what` says what it is to whoever types something else. */
export function countOf(what: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError(`It is ${what}.`)
    return Number(text)
  }
}

/** `100ms`, `2s`, `10m`, `1h`; a number alone is milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)?$/.exec(text)
  if (!match) throw new InvalidArgumentError('It is a duration, such as 500ms, 2s, 10m or 1h.')
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 'ms']!
}
