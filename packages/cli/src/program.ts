import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import type { CliIo } from './io.ts'
import { documentOf } from './render/document.ts'
import type { CommonOptions, Session } from './session.ts'
import { version } from './version.ts'

/** Reads the command line and runs the command that it names. Each command's code is loaded only when it is called. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode = 0
  const program = describeProgram(io, (code) => (exitCode = code))
  try {
    await program.parseAsync(expandAliases(argv), { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportCrash(error, argv, io)
    if (error.exitCode === 0) return 0
    // Commander has printed what was wrong with the words; a program that reads JSON is told too.
    const early = error.code === 'commander.unknownOption' && argv[0]?.startsWith('-') === true
    const order = 'options stand behind the command: pnpm migrate <command> [options]'
    if (early) io.stderr.write(`${order}\n`)
    if (argv.includes('--json')) {
      const message = error.message.replace(/^error: /, '')
      const hint = early ? order : 'see: pnpm migrate help'
      io.stdout.write(documentOf(argv[0] ?? '', 2, { databases: [] }, [{ code: 'USAGE', message, hint }]))
    }
    return 2
  }
}

/** `revision-creds "message"` is `revision "message" --database creds`. */
function expandAliases(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv
  const database = first?.startsWith('revision-') ? first.slice('revision-'.length) : ''
  return database === '' ? argv : ['revision', ...rest, '--database', database]
}

type Action<Options> = (session: Session, options: Options, ...positionals: readonly string[]) => Promise<number>

function describeProgram(io: CliIo, setExitCode: (code: number) => void): Command {
  const program = new Command('migrate')
    .description('Moves the schemas of all databases of this workspace, in order.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('see: pnpm migrate help')
    .exitOverride()
    .addHelpText('after', footer)

  const add = <Options extends CommonOptions>(
    name: string,
    summary: string,
    example: string,
    load: () => Promise<Action<Options>>,
  ): Command => {
    const words = name.split(' ')[0]!
    const command = withCommonOptions(program.command(name).description(summary))
    return command.addHelpText('after', `\nExample:\n${indent(example)}`).action(async () => {
      const options = command.opts<Options>()
      const { Session } = await import('./session.ts')
      const session = new Session(words, io, options)
      const run = await load()
      setExitCode(await settle(session, () => run(session, options, ...command.args)))
    })
  }

  withRunOptions(
    add(
      'init',
      'Create missing databases and what Drover keeps in them, then upgrade to head.',
      'pnpm migrate init\npnpm migrate init -d credentials',
      async () => (await import('./commands/release.ts')).init,
    ),
  )
  withRunOptions(
    add(
      'upgrade [target]',
      'Apply what is missing, database by database, up to the target (default: head).',
      'pnpm migrate upgrade\npnpm migrate upgrade +1 -d gdpr\npnpm migrate upgrade --dry-run',
      async () => (await import('./commands/release.ts')).upgrade,
    ),
  )
  withRunOptions(
    add(
      'downgrade [target]',
      'Revert, in reverse order, down to the target (default: -1, the last revision of each database).',
      'pnpm migrate downgrade\npnpm migrate downgrade base -d gdpr',
      async () => (await import('./commands/release.ts')).downgrade,
    ),
  )
  add(
    'current',
    'Show where each database stands.',
    'pnpm migrate current\npnpm migrate current --json',
    async () => (await import('./commands/current.ts')).current,
  )
  add(
    'history',
    'List the revisions of each database, newest first.',
    'pnpm migrate history -d main --verbose',
    async () => (await import('./commands/history.ts')).history,
  )
  add(
    'heads',
    'List the heads of each history.',
    'pnpm migrate heads',
    async () => (await import('./commands/history.ts')).heads,
  )
  add(
    'show <revision>',
    'Show one revision: its place in the history and its files.',
    'pnpm migrate show main/3f9c',
    async () => (await import('./commands/history.ts')).show,
  )
  add(
    'revision <message>',
    'Make a new revision after the head, with an up and a down to fill in.',
    'pnpm migrate revision "add circle capacity" -d main --empty\npnpm migrate revision-creds "add passkeys" --empty',
    async () => (await import('./commands/revision.ts')).revision,
  ).option('--empty', 'write empty files to fill in')
  add(
    'check',
    'Check that files and databases agree: graph, one head, SQL filled in, nothing edited after it was applied.',
    'pnpm migrate check\npnpm migrate check --offline',
    async () => (await import('./commands/check.ts')).check,
  ).option('--offline', 'look at the files only, and at no database')
  add(
    'server <action> [database]',
    'The development server: start, stop, status, or url (of a database).',
    'pnpm migrate server status\npsql "$(pnpm --silent migrate server url main)"',
    async () => (await import('./commands/server.ts')).server,
  )
  return program
}

const footer = `
Targets:
  head, heads, base, +N, -N, the id of a revision or a unique prefix of it, at
  least 4 characters; each also as <database>/<target>

Exit codes:
  0 done, or nothing to do        3 refused before anything ran
  1 failed while running          4 a check found something
  2 usage or configuration        130, 143 interrupted

Examples:
  pnpm migrate upgrade                     all databases, in order
  pnpm migrate downgrade -1 -d main        the last revision of one database
  pnpm migrate current --json              for programs`

function withCommonOptions(command: Command): Command {
  return command
    .option('-d, --database <name>', 'only this database (repeatable, or separated by commas)', collect)
    .option('--json', 'print one JSON document on stdout')
    .option('-q, --quiet', 'no progress')
    .option('-v, --verbose', 'more detail, and the notices of the servers')
    .addOption(new Option('--color <when>', 'paint the output').choices(['auto', 'always', 'never']).default('auto'))
}

function withRunOptions(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show the steps and change nothing')
    .option(
      '--lock-timeout <duration>',
      'how long a statement waits for a lock before it is tried again (default: 100ms)',
      parseDuration,
    )
    .option('--statement-timeout <duration>', 'how long a statement may take (default: no limit)', parseDuration)
    .option('--wait-lock <duration>', 'how long to wait for another run (default: 1m)', parseDuration)
    .addOption(
      new Option('--on-failure <what>', 'what becomes of the other databases when one fails')
        .choices(['stop', 'continue', 'rollback'])
        .default('stop'),
    )
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** `100ms`, `2s`, `10m`, `1h`; a number alone is milliseconds. */
function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)?$/.exec(text)
  if (!match) throw new InvalidArgumentError('It is a duration, such as 500ms, 2s, 10m or 1h.')
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] ?? 'ms']!
}

/** Runs a command; what it throws becomes the end of the command. */
async function settle(session: Session, run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    const { DroverError } = await import('@drover/history')
    if (error instanceof DroverError) return session.finish({ databases: [] }, error.problems)
    const message = error instanceof Error ? error.message : String(error)
    if (session.options.verbose && error instanceof Error) session.progress(error.stack ?? '')
    const hint = 'this is a fault of Drover: please report it, with the output of --verbose'
    return session.finish({ databases: [] }, [{ code: 'INTERNAL', message, hint }])
  }
}

function reportCrash(error: unknown, argv: readonly string[], io: CliIo): number {
  io.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  if (argv.includes('--json'))
    io.stdout.write(documentOf(argv[0] ?? '', 1, {}, [{ code: 'INTERNAL', message: String(error) }]))
  return 1
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
