import type { Problem } from '@drover/history'
import { Command, CommanderError } from 'commander'

import type { CliIo } from './io.ts'
import { documentOf } from './render/document.ts'
import { asksForLog, endEntry, logLine, problemEntry } from './render/log.ts'
import type { CommonOptions, Session } from './session.ts'
import { checkCommands } from './syntax/check-commands.ts'
import type { Action, Add, Commands } from './syntax/commands.ts'
import { fleetCommands } from './syntax/fleet-commands.ts'
import { historyCommands } from './syntax/history-commands.ts'
import { operationCommands } from './syntax/operation-commands.ts'
import { withCommonOptions } from './syntax/options.ts'
import { runCommands } from './syntax/run-commands.ts'
import { tenantCommands } from './syntax/tenant-commands.ts'
import { behindDashes } from './syntax/words.ts'
import { version } from './version.ts'

/** Reads the command line and runs the command that it names. Each command's code is loaded only when it is called. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<number> {
  // What stands behind -- is another program's, be it called like one of our options.
  const own = argv.slice(0, argv.length - behindDashes(argv).length)
  let exitCode = 0
  // What Commander says is for people.
  const writeErr = asksForLog(own) ? () => {} : (text: string) => io.stderr.write(text)
  const program = describeProgram(argv, io, writeErr, (code) => (exitCode = code))
  try {
    await program.parseAsync(expandAliases(argv), { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportCrash(error, own, io)
    if (error.exitCode === 0) return 0
    const early = error.code === 'commander.unknownOption' && argv[0]?.startsWith('-') === true
    const order = 'options stand behind the command: pnpm migrate <command> [options]'
    const hint = early ? order : 'see: pnpm migrate help'
    const problem = { code: 'USAGE', message: error.message.replace(/^error: /, ''), hint } as const
    // Commander has printed what was wrong with the words; a program that reads JSON is told too.
    if (asksForLog(own)) logEnd(own, io, problem, 2)
    else if (early) io.stderr.write(`${order}\n`)
    if (own.includes('--json')) io.stdout.write(documentOf(own[0] ?? '', 2, { databases: [] }, [problem]))
    return 2
  }
}

/** `revision-creds "message"` is `revision "message" --database creds`. */
function expandAliases(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv
  const database = first?.startsWith('revision-') ? first.slice('revision-'.length) : ''
  return database === '' ? argv : ['revision', ...rest, '--database', database]
}

const commands: Commands = {
  ...runCommands,
  ...historyCommands,
  ...checkCommands,
  ...tenantCommands,
  ...fleetCommands,
  ...operationCommands,
}

function describeProgram(
  argv: readonly string[],
  io: CliIo,
  writeErr: (text: string) => void,
  setExitCode: (code: number) => void,
): Command {
  const program = new Command('migrate')
    .description('Moves the schemas of all databases of this workspace, in order.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('see: pnpm migrate help')
    .exitOverride()
    .addHelpText('after', footer)

  const add: Add = <Options extends CommonOptions>(
    name: string,
    summary: string,
    example: string,
    load: (options: Options) => Promise<Action<Options>>,
  ) => {
    const { path, parent, rest } = placeOf(program, name)
    const command = withCommonOptions(parent.command(rest).description(summary))
    return command.addHelpText('after', `\nExample:\n${indent(example)}`).action(async () => {
      const options = command.opts<Options>()
      const run = await load(options)
      const { Session } = await import('./session.ts')
      const session = new Session(path, io, options)
      setExitCode(await settle(session, () => run(session, options, ...command.args)))
    })
  }

  const describe = { add, argv }
  // Describing all of them takes longer than most of them take.
  const [name] = expandAliases(argv)
  if (name !== undefined && Object.hasOwn(commands, name)) commands[name]!(describe)
  else for (const one of Object.values(commands)) one(describe)
  return program
}

/** Where a command belongs: `tenant create <slug>` is `create <slug>` of `tenant`. */
function placeOf(
  program: Command,
  name: string,
): { readonly path: string; readonly parent: Command; readonly rest: string } {
  const path = name.replace(/ [<[].*/, '')
  const [group, ...words] = path.split(' ')
  if (words.length === 0) return { path, parent: program, rest: name }
  const parent = program.commands.find((command) => command.name() === group) ?? describeGroup(program, group!)
  return { path, parent, rest: name.slice(group!.length + 1) }
}

function describeGroup(program: Command, name: string): Command {
  return program
    .command(`${name} <command>`)
    .description(groups[name] ?? '')
    .usage('<command> [options]')
    .copyInheritedSettings(program)
}

const groups: Readonly<Record<string, string>> = {
  tenant: 'The tenants of a database: create, list, upgrade, downgrade, current, verify, drop.',
  fleet: 'Tenants over many machines: enqueue, worker, status, cancel, retry.',
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
