import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { parse } from 'yaml'

import { repository } from './repository-databases.ts'
import { copyDatabases, writeProgram } from './shell.ts'

/** What GitHub would know when a job begins. */
export interface Event {
  readonly github?: object
  readonly inputs?: Readonly<Record<string, string>>
  readonly vars?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  /** Outputs of the jobs that this one needs. */
  readonly needs?: Readonly<Record<string, JobEnd>>
  /** The artifacts of the run: jobs add to them. */
  readonly artifacts: Map<string, Map<string, Buffer>>
  /** Variables that the runner gives to every step, besides its own. */
  readonly runner?: Readonly<Record<string, string>>
  /** Where a port of a service of the job is here: `localhost:5432` → `127.0.0.1:27195`. */
  readonly services?: Readonly<Record<string, string>>
}

/** How a job ended. */
export interface JobEnd {
  readonly result: 'success' | 'failure' | 'skipped'
  readonly outputs: Readonly<Record<string, string>>
  /** What all steps wrote to either stream. */
  readonly log: string
  /** The job's summary, in Markdown. */
  readonly summary: string
  /** Every script that was run, in order, by the name of its step. */
  readonly ran: readonly string[]
}

/** A checkout of this repository in which a job can run, with nothing installed. */
export interface Checkout extends AsyncDisposable {
  readonly root: string
  readonly path: string
}

/**
 * Copies what commands of a workflow need of this repository. In it `npx … install --frozen-lockfile` takes the packages that are
 * installed here, and fails when it is given anything else: what it really does is the business of `e2e/fresh-clone.test.ts`.
 */
export async function createCheckout(): Promise<Checkout> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'drover-checkout-')))
  const root = join(parent, 'drover')
  await copyDatabases(root)
  await cp(join(repository, '.github'), join(root, '.github'), { recursive: true })
  await cp(join(repository, 'package.json'), join(root, 'package.json'))
  for (const name of ['packages', 'scripts']) await symlink(join(repository, name), join(root, name))
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    packageManager: string
  }
  await writeProgram(
    join(parent, 'bin'),
    'npx',
    `#!/bin/sh
[ "$*" = "-y ${packageManager} install --frozen-lockfile" ] || { echo "npx $* cannot be run here" >&2; exit 99; }
ln -s ${JSON.stringify(join(repository, 'node_modules'))} node_modules && echo installed
`,
  )
  return {
    root,
    path: join(parent, 'bin'),
    [Symbol.asyncDispose]: () => rm(parent, { recursive: true, force: true }),
  }
}

/** Reads a workflow of this repository. */
export async function readWorkflow(name: string): Promise<any> {
  return parse(await readFile(join(repository, '.github', 'workflows', name), 'utf8'))
}

/**
 * Runs a job as a runner of GitHub does, as far as our workflows go: its condition, its variables, and each step in order. Scripts run
 * in bash with the variables that the workflow gives them, actions of this repository step by step. Of others' actions the checkout
 * is what `checkout` names, and artifacts are kept in the event.
 * @throws {Error} for an action, an input or a property that it does not know
 */
export async function runJob(workflow: any, name: string, event: Event, checkout: Checkout): Promise<JobEnd> {
  const job = workflow.jobs[name]
  expectKnown(job, jobProperties, name)
  const scope: Scope = { event, checkout, env: {}, steps: {}, inputs: event.inputs ?? {}, ran: [], log: [], folder: '' }
  const mayRun = [job.needs ?? []].flat().every((one: string) => event.needs?.[one]?.result === 'success')
  const skipped = { result: 'skipped', outputs: {}, log: '', summary: '', ran: [] } as const
  if (!mayRun || (job.if !== undefined && evaluate(job.if, scope).coerceString() !== 'true')) return skipped
  const outside = await mkdtemp(join(tmpdir(), 'drover-runner-'))
  try {
    Object.assign(scope, { folder: outside, env: fillIn({ ...workflow.env, ...job.env }, scope) })
    // The variables of a job may use those of the workflow.
    scope.env = { ...fillIn(workflow.env, scope), ...fillIn(job.env, scope) }
    const result = (await runSteps(job.steps, scope)) ? 'success' : 'failure'
    const outputs = fillIn(job.outputs, scope)
    return {
      result,
      outputs,
      log: scope.log.join(''),
      summary: await readIfThere(join(outside, 'summary')),
      ran: scope.ran,
    }
  } finally {
    await rm(outside, { recursive: true, force: true })
  }
}

const jobProperties = /^(?:runs-on|timeout-minutes|environment|permissions|if|needs|env|outputs|steps|services)$/
const stepProperties = /^(?:name|id|if|uses|with|run|shell|env)$/

interface Scope {
  readonly event: Event
  readonly checkout: Checkout
  readonly inputs: Readonly<Record<string, string>>
  readonly steps: Record<string, { outputs: Record<string, string> }>
  readonly ran: string[]
  readonly log: string[]
  /** Of files that are the runner's, outside the checkout. */
  readonly folder: string
  readonly actionPath?: string
  env: Record<string, string>
}

async function runSteps(steps: readonly any[], scope: Scope): Promise<boolean> {
  for (const step of steps) {
    expectKnown(step, stepProperties, step.name ?? step.uses)
    if (step.if !== undefined && evaluate(step.if, scope).coerceString() !== 'true') continue
    const ok = step.run === undefined ? await runAction(step, scope) : await runScript(step, scope)
    if (!ok) return false
  }
  return true
}

async function runScript(step: any, scope: Scope): Promise<boolean> {
  // What stands in a script as an expression could be read as a command by bash.
  if (/\$\{\{/.test(step.run)) throw new Error(`${step.name}: there is an expression in a script`)
  const file = join(scope.folder, `script-${scope.ran.length}.sh`)
  const output = `${file}.output`
  await writeFile(file, step.run)
  const started = startScript(file, {
    cwd: scope.checkout.root,
    env: {
      PATH: `${scope.checkout.path}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      HOME: process.env['HOME'] ?? '',
      CI: 'true',
      ...scope.event.runner,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: join(scope.folder, 'summary'),
      ...mapValues({ ...scope.env, ...fillIn(step.env, scope) }, (value) => replaceServices(value, scope.event)),
    },
  })
  scope.ran.push(step.name)
  const { exitCode, log } = await started.ended
  scope.log.push(log)
  if (step.id !== undefined) scope.steps[step.id] = { outputs: parseOutputs(await readIfThere(output)) }
  return exitCode === 0
}

/** Starts a script as a step with `shell: bash` is started. */
export function startScript(file: string, options: { readonly cwd: string; readonly env: Record<string, string> }) {
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 128))
  })
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(([exitCode, stdout, stderr]) => ({
    exitCode,
    log: stdout + stderr,
  }))
  return { child, ended }
}

async function runAction(step: any, scope: Scope): Promise<boolean> {
  const given = fillIn(step.with, scope)
  if (!step.uses.startsWith('./')) return runForeignAction(step.uses, given, scope)
  const folder = join(scope.checkout.root, step.uses)
  const action = parse(await readFile(join(folder, 'action.yml'), 'utf8'))
  expectKnown(given, new RegExp(`^(?:${Object.keys(action.inputs).join('|')})$`), step.uses)
  for (const [name, input] of Object.entries<any>(action.inputs))
    if (input.required === true && given[name] === undefined) throw new Error(`${step.uses}: ${name} is not given`)
  const defaults = mapValues(action.inputs, (input) => String(input.default ?? ''))
  const inner: Scope = { ...scope, inputs: { ...defaults, ...given }, steps: {}, actionPath: folder }
  const ok = await runSteps(action.runs.steps, inner)
  const outputs = mapValues(action.outputs ?? {}, ({ value }) => replaceExpressions(value, inner))
  if (step.id !== undefined) scope.steps[step.id] = { outputs }
  return ok
}

async function runForeignAction(action: string, given: Record<string, string>, scope: Scope): Promise<boolean> {
  const { artifacts } = scope.event
  switch (action) {
    case 'actions/checkout@v4':
    case 'actions/setup-node@v4':
      return true
    case 'actions/upload-artifact@v4': {
      const files = given['path']!.trim().split('\n')
      const contents = files.map(async (file) => [file, await readFile(join(scope.checkout.root, file))] as const)
      artifacts.set(given['name']!, new Map(await Promise.all(contents)))
      return true
    }
    case 'actions/download-artifact@v4': {
      const files = artifacts.get(given['name']!)
      for (const [file, content] of files ?? []) await writeFile(join(scope.checkout.root, file), content)
      return files !== undefined
    }
    default:
      throw new Error(`${action} is not known here`)
  }
}

function evaluate(expression: string, scope: Scope): data.ExpressionData {
  const { event, env, inputs, steps } = scope
  const contexts = {
    env,
    inputs,
    steps,
    github: { ...event.github, action_path: scope.actionPath ?? '', token: 'the-token-of-the-job' },
    needs: event.needs ?? {},
    secrets: event.secrets ?? {},
    vars: event.vars ?? {},
  }
  const hashFiles = {
    name: 'hashFiles',
    description: '',
    minArgs: 1,
    maxArgs: 1,
    call: (file: data.ExpressionData) =>
      new data.StringData(existsSync(join(scope.checkout.root, file.coerceString())) ? 'a hash' : ''),
  }
  const source = expression.replace(/^\$\{\{(.*)\}\}$/, '$1')
  const tree = new Parser(new Lexer(source).lex().tokens, Object.keys(contexts), [hashFiles]).parse()
  const known = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary
  return new Evaluator(tree, known, new Map([['hashfiles', hashFiles]])).evaluate()
}

function replaceExpressions(value: unknown, scope: Scope): string {
  return String(value).replaceAll(/\$\{\{(.*?)\}\}/g, (_, inner: string) => evaluate(inner, scope).coerceString())
}

function fillIn(values: object | undefined, scope: Scope): Record<string, string> {
  return mapValues(values ?? {}, (value) => replaceExpressions(value, scope))
}

function replaceServices(value: string, { services = {} }: Event): string {
  return Object.entries(services).reduce((all, [service, here]) => all.replaceAll(service, here), value)
}

function mapValues(values: object, change: (value: any) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))
}

function expectKnown(values: object, known: RegExp, where: string): void {
  for (const name of Object.keys(values))
    if (!known.test(name)) throw new Error(`${where}: "${name}" is not known here`)
}

function parseOutputs(file: string): Record<string, string> {
  return Object.fromEntries(file.split('\n').flatMap((line) => (line === '' ? [] : [line.split(/=(.*)/s).slice(0, 2)])))
}

async function readIfThere(file: string): Promise<string> {
  return existsSync(file) ? readFile(file, 'utf8') : ''
}
