import type { Phase, Problem } from '@drover/history'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'

import type { RevisionOptions } from './commands/make-revision.ts'
import type { CliIo } from './io.ts'
import { documentOf } from './render/document.ts'
import { asksForLog, endEntry, logLine, problemEntry } from './render/log.ts'
import type { CommonOptions, Session } from './session.ts'
import { version } from './version.ts'

/** Reads the command line and runs the command that it names. Each command's code is loaded only when it is called. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode = 0
  // What Commander says is for people.
  const writeErr = asksForLog(argv) ? () => {} : (text: string) => io.stderr.write(text)
  const program = describeProgram(io, writeErr, (code) => (exitCode = code))
  try {
    await program.parseAsync(expandAliases(argv), { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportCrash(error, argv, io)
    if (error.exitCode === 0) return 0
    const early = error.code === 'commander.unknownOption' && argv[0]?.startsWith('-') === true
    const order = 'options stand behind the command: pnpm migrate <command> [options]'
    const hint = early ? order : 'see: pnpm migrate help'
    const problem = { code: 'USAGE', message: error.message.replace(/^error: /, ''), hint } as const
    // Commander has printed what was wrong with the words; a program that reads JSON is told too.
    if (asksForLog(argv)) logEnd(argv, io, problem, 2)
    else if (early) io.stderr.write(`${order}\n`)
    if (argv.includes('--json')) io.stdout.write(documentOf(argv[0] ?? '', 2, { databases: [] }, [problem]))
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

function describeProgram(io: CliIo, writeErr: (text: string) => void, setExitCode: (code: number) => void): Command {
  const program = new Command('migrate')
    .description('Moves the schemas of all databases of this workspace, in order.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('see: pnpm migrate help')
    .exitOverride()
    .addHelpText('after', footer)

  const add = <Options extends CommonOptions>(
    name: string,
    summary: string,
    example: string,
    load: (options: Options) => Promise<Action<Options>>,
  ): Command => {
    const words = name.split(' ')[0]!
    const command = withCommonOptions(program.command(name).description(summary))
    return command.addHelpText('after', `\nExample:\n${indent(example)}`).action(async () => {
      const options = command.opts<Options>()
      const run = await load(options)
      const { Session } = await import('./session.ts')
      const session = new Session(words, io, options)
      setExitCode(await settle(session, () => run(session, options, ...command.args)))
    })
  }

  withRunOptions(
    add(
      'init',
      'Create missing databases with their roles and grants, then upgrade to head.',
      'pnpm migrate init\npnpm migrate init -d credentials\npnpm --silent migrate init --sql > roles.sql',
      async () => (await import('./commands/release.ts')).init,
    ),
  ).option('--sql', 'print what makes databases, roles and grants as a script for psql instead')
  withOtherWays(
    withRunOptions(
      add(
        'upgrade [target]',
        'Apply what is missing, database by database, up to the target (default: head).',
        'pnpm migrate upgrade\npnpm migrate upgrade +1 -d gdpr\npnpm migrate upgrade --plan plan.json\npnpm migrate upgrade base:head --sql -d gdpr',
        async () => (await import('./commands/release.ts')).upgrade,
      ),
    )
      .option('--allow-out-of-order', 'also apply revisions that were put below applied ones')
      .addOption(phaseOption()),
  )
  withOtherWays(
    withRunOptions(
      add(
        'downgrade [target]',
        'Revert, in reverse order and whatever their phase, down to the target (default: -1, the last revision of each database).',
        'pnpm migrate downgrade\npnpm migrate downgrade base -d gdpr\npnpm migrate downgrade head:base --sql -d gdpr',
        async () => (await import('./commands/release.ts')).downgrade,
      ),
    ),
  )
  add(
    'plan [target]',
    'Show what an upgrade would do (default: to head), or with --downgrade a downgrade (default: -1).',
    'pnpm migrate plan\npnpm migrate plan --out plan.json\npnpm migrate plan --check --markdown',
    async () => (await import('./commands/plan.ts')).plan,
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
  add(
    'current',
    'Show where each database stands.',
    'pnpm migrate current\npnpm migrate current --json\npnpm migrate current --check-heads',
    async () => (await import('./commands/current.ts')).current,
  ).option('--check-heads', 'exit with 4 unless every database is up to date')
  add(
    'history',
    'Show the revisions of each database, newest first; on a terminal as a graph.',
    'pnpm migrate history -d main --verbose\npnpm migrate history -d main --range base+2:head --indicate-current',
    async () => (await import('./commands/history.ts')).history,
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
  add(
    'heads',
    'List the heads of each history.',
    'pnpm migrate heads\npnpm migrate heads --verbose',
    async () => (await import('./commands/history.ts')).heads,
  )
  add(
    'branches',
    'List where each history branches, and the labels of its branches.',
    'pnpm migrate branches -d main',
    async () => (await import('./commands/branches.ts')).branches,
  )
  add(
    'show <revision>',
    'Show one revision: its place in the history and its files.',
    'pnpm migrate show main/3f9c',
    async () => (await import('./commands/history.ts')).show,
  )
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
    async (options: RevisionOptions) => (await import('./commands/revision.ts')).beginRevision(options),
  )
    .option('--empty', 'write empty files to fill in')
    .addOption(new Option('--sql', 'the same as --empty').implies({ empty: true }).conflicts('ts'))
    .addOption(new Option('--ts', 'write a migration.ts to fill in, for data that needs code').implies({ empty: true }))
    .option(
      '--rename <old=new>',
      'what is new is something old under another name: users.name=users.full_name (repeatable)',
    )
    .option('--no-rename', 'everything else that is new is new, and what is gone is dropped')
    .option('--concurrently', 'make indexes on tables that exist without blocking writers, in a revision of their own')
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
  add(
    'merge [revisions...]',
    'Join branches with a revision that changes nothing itself (default: all heads of the database).',
    'pnpm migrate merge -d main\npnpm migrate merge main/3f9c main/billing@head -m "merge billing"',
    async () => (await import('./commands/merge.ts')).merge,
  ).option('-m, --message <text>', 'what it says it does (default: what it joins)')
  add(
    'stamp <targets...>',
    'Record that databases stand at the targets, without running anything.',
    'pnpm migrate stamp head -d main\npnpm migrate stamp gdpr/3f9c main/base --dry-run\npnpm migrate stamp heads --purge',
    async () => (await import('./commands/stamp.ts')).stamp,
  )
    .option('--purge', 'forget everything that is recorded first')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would be recorded and change nothing')
    .option('--wait-lock <duration>', 'how long to wait for another run (default: 1m)', parseDuration)
  add(
    'adopt [folder]',
    'Take over the history of drizzle-kit or Alembic: a folder of theirs, or without one what their table says is applied.',
    [
      'pnpm migrate adopt legacy/drizzle -d main',
      'pnpm migrate adopt -d main --dry-run',
      'pnpm migrate adopt -d main --baseline',
    ].join('\n'),
    async () => (await import('./commands/adopt.ts')).adopt,
  )
    .option('--table <name>', 'the table that says what is applied, when it has another name than the tool gives it')
    .option('--accept-edited', 'count revisions as applied whose files were edited since the other tool ran them')
    .option('--baseline', 'make a first revision from the schema of the database as it is')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show what would be taken over and change nothing')
    .option('--wait-lock <duration>', 'how long to wait for another run (default: 1m)', parseDuration)
  add(
    'check',
    'Check that files and databases agree: graph, one head, SQL filled in, nothing edited after it was applied.',
    'pnpm migrate check\npnpm migrate check --offline',
    async () => (await import('./commands/check.ts')).check,
  ).option('--offline', 'look at the files only, and at no database')
  add(
    'data-map',
    'Show which columns hold personal data: what for, on which legal basis and for how long.',
    [
      'pnpm migrate data-map',
      'pnpm migrate data-map -d gdpr --json',
      'pnpm --silent migrate data-map -d gdpr --sql > columns.sql',
    ].join('\n'),
    async () => (await import('./commands/data-map.ts')).dataMap,
  ).addOption(new Option('--sql', 'print it as comments on the columns').conflicts('json'))
  add(
    'drift',
    'Compare the databases with shadows that are built from what is applied in them.',
    'pnpm migrate drift\npnpm migrate drift -d main --verbose',
    async () => (await import('./commands/drift.ts')).drift,
  )
  add(
    'access',
    'Prove who can reach what, by trying every role on every database.',
    'pnpm migrate access\npnpm migrate access -d credentials --json',
    async () => (await import('./commands/access.ts')).access,
  )
  add(
    'repair',
    'Remember the files of applied revisions as they are now, where only comments or white space were edited.',
    'pnpm migrate repair --dry-run\npnpm migrate repair -d main',
    async () => (await import('./commands/repair.ts')).repair,
  )
    .option('--dry-run', 'show the files and change nothing')
    .option('--wait-lock <duration>', 'how long to wait for another run (default: 1m)', parseDuration)
  add(
    'lock <action>',
    'Who holds the databases: status; or take one away from a run that does: release.',
    'pnpm migrate lock status\npnpm migrate lock status --json\npnpm migrate lock release -d main',
    async () => (await import('./commands/lock.ts')).lock,
  ).option('-y, --yes', 'do not ask')
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
  head, heads, base, +N, -N, a label, the id of a revision or a unique prefix of
  it, at least 4 characters, also with a walk: 3f9c+2. Behind <label or id>@ it
  is for that branch: billing@head. Each also as <database>/<target>

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
    .addOption(
      new Option('--log <how>', 'how progress, warnings and errors are written on stderr')
        .choices(['text', 'json'])
        .default('text'),
    )
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
    .option(
      '--lock-attempts <number>',
      'how often a revision is tried that cannot have a lock (default: 30)',
      countOf('a number from 1'),
    )
    .option(
      '--kill-blockers-after <duration>',
      'end sessions that hold a lock it needs and have been idle in a transaction for so long (default: none)',
      parseDuration,
    )
    .option('--statement-timeout <duration>', 'how long a statement may take (default: no limit)', parseDuration)
    .option('--wait-lock <duration>', 'how long to wait for another run (default: 1m)', parseDuration)
    .addOption(
      new Option('--transaction <scope>', 'what has a transaction of its own: each revision, or all of a database')
        .choices(['per-revision', 'all'])
        .default('per-revision'),
    )
    .option('--no-hooks', 'run none of the hooks that database.ts and drover.config.ts declare')
    .option(
      '--jobs <number>',
      'how many databases to work on at the same time (default: 4)',
      countOf('a number of databases, from 1'),
    )
    .addOption(
      new Option('--on-failure <what>', 'what becomes of the other databases when one fails')
        .choices(['stop', 'continue', 'rollback'])
        .default('stop'),
    )
}

// Written out, so that help loads no other package.
const phases = ['expand', 'backfill', 'contract'] as const satisfies readonly Phase[]

/** How far an upgrade goes around a deploy. */
function phaseOption(): Option {
  return new Option('--phase <phase>', 'run nothing of a later phase, nor what comes after it').choices(phases)
}

/** Doing what was planned before, or writing down what would be done. */
function withOtherWays(command: Command): Command {
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

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Reads a number from 1; `what` says what it is to whoever types something else. */
function countOf(what: string): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError(`It is ${what}.`)
    return Number(text)
  }
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
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const problem = { code: 'INTERNAL', message: String(error) } as const
  if (asksForLog(argv)) logEnd(argv, io, { ...problem, serverNotes: [stack] }, 1)
  else io.stderr.write(`error: ${stack}\n`)
  if (argv.includes('--json')) io.stdout.write(documentOf(argv[0] ?? '', 1, {}, [problem]))
  return 1
}

/** What ended a command line before its command could say anything, as entries. */
function logEnd(argv: readonly string[], io: CliIo, problem: Problem, exitCode: number): void {
  for (const entry of [problemEntry(problem, 'error'), endEntry(exitCode, process.uptime() * 1000)]) {
    io.stderr.write(logLine(entry, argv[0] ?? '', new Date()))
  }
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
