import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { journalEntries, migrateAsDrizzle045, writeJournalFolder } from './harness/drizzle-journal.ts'
import { constant, exactly, flag, like, list, number, type Shape, text } from './harness/json-shape.ts'
import { createGuarded } from './harness/guarded.ts'
import { createMirrored } from './harness/mirrored.ts'
import { createPair, type Pair } from './harness/pair.ts'
import { query } from './harness/query.ts'
import { createTenantWorkspace } from './harness/tenants.ts'
import { createWorkspace, type Ended } from './harness/workspace.ts'

// The shapes that are promised to programs, each written once.

const id = like(/^[0-9a-f]{12}$/)
const time = like(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/)

const phase = like(/^(?:expand|backfill|contract)$/)
const step = exactly(
  {
    direction: like(/^(?:up|down)$/),
    revision: id,
    message: text,
    status: like(/^(?:applied|reverted|recorded|forgotten|abandoned|failed|skipped|planned)$/),
  },
  { durationMs: number, phase, transaction: like(/^(?:none|own)$/), batch: flag, kept: list(text) },
)
const heldBack = exactly(
  { revision: id, message: text, phase, hint: like(/\S/) },
  { waitsFor: like(/^[a-z][a-z0-9_-]*\/[0-9a-f]{12}$/) },
)
const blocker = exactly(
  { hidden: flag, locks: list(exactly({ relation: text, mode: text, granted: flag })) },
  {
    pid: number,
    prepared: text,
    user: text,
    applicationName: text,
    backendType: text,
    state: text,
    queryStart: time,
    queryAgeMs: number,
    transactionAgeMs: number,
    stateAgeMs: number,
    statement: text,
  },
)
const hook = exactly(
  { moment: like(/^(?:before|after|onFailure)$/), file: text, status: like(/^(?:planned|done|failed)$/) },
  { durationMs: number },
)
const target = exactly(
  {
    target: like(/^$/),
    current: list(id),
    heads: list(id),
    pending: list(id),
    steps: list(step),
    state: like(/^(?:up-to-date|behind|ahead|diverged|unreachable)$/),
  },
  {
    pendingPhases: list(exactly({ revision: id, phase })),
    heldBack: list(heldBack),
    endedSessions: list(blocker),
    hooks: list(hook),
    snapshot: exactly({ file: like(/^databases\//), revisions: list(id) }),
  },
)
const problem = exactly(
  { code: like(/^[A-Z]+(?:_[A-Z]+)*$/), message: like(/\S/) },
  {
    hint: like(/\S/),
    database: text,
    revision: id,
    file: like(/^databases\//),
    line: number,
    column: number,
    excerpt: list(text),
    statement: text,
    sqlstate: like(/^[0-9A-Z]{5}$/),
    serverNotes: list(text),
    blockers: list(blocker),
    tenants: list(text),
  },
)
const states = list(exactly({ name: text, targets: list(target) }))
const counts = { settled: number, done: number, failed: number, waiting: number, notTried: number }
const tenantTarget = exactly(
  {
    target: like(/\S/),
    current: list(id),
    heads: list(id),
    pending: list(id),
    steps: list(step),
    state: like(/^(?:up-to-date|behind|ahead|diverged)$/),
  },
  { problem },
)
const tenantStates = list(
  exactly(
    {
      name: text,
      targets: list(tenantTarget),
      tenants: exactly(
        { total: number },
        {
          upToDate: number,
          revisions: number,
          ...counts,
          servers: list(exactly({ name: text, ...counts }, { problem })),
        },
      ),
    },
    { orphans: list(exactly({ server: text, target: text })) },
  ),
)
const tenant = { slug: text, target: text }
const verifications = list(
  exactly({
    name: text,
    looked: number,
    behind: number,
    findings: list(
      exactly(
        {
          tenant: exactly(tenant),
          server: text,
          references: list(exactly({ schema: text, object: text, toSchema: text, to: text })),
          privileges: list(
            exactly({ kind: constant('privilege'), schema: text, object: text, grantee: text, privileges: list(text) }),
          ),
        },
        {
          differences: list(
            exactly(
              { object: text, kind: like(/^(?:missing|unexpected|different)$/) },
              { part: text, expected: text, found: text },
            ),
          ),
        },
      ),
    ),
    unusable: list(exactly({ slug: text, target: text, server: text, problem })),
    unread: list(exactly({ server: text, problem })),
  }),
)
/** Of the same history, or of another database's. */
const dependency = like(/^(?:[a-z][a-z0-9_-]*\/)?[0-9a-f]{12}$/)
const revisionFields = {
  id,
  parents: list(id),
  labels: list(text),
  dependsOn: list(dependency),
  message: text,
  created: time,
  reversible: flag,
  isHead: flag,
  isBase: flag,
  folder: like(/^databases\//),
}
const batch = exactly({ pauseMs: number }, { range: exactly({ key: text, size: number }) })
const histories = list(exactly({ name: text, revisions: list(exactly(revisionFields, { phase, batch })) }))
const markedRevision = exactly({ ...revisionFields, isCurrent: flag, isApplied: flag }, { phase, batch })
const markedHistories = list(exactly({ name: text, revisions: list(markedRevision) }))
const made = list(
  exactly({
    name: text,
    revisions: list(
      exactly(
        {
          id,
          parents: list(id),
          labels: list(text),
          dependsOn: list(dependency),
          message: text,
          created: time,
          folder: like(/^databases\//),
          files: list(text),
        },
        { phase },
      ),
    ),
  }),
)
const arm = { revision: id, message: text, labels: list(text) }
const point = exactly({
  ...arm,
  // Null where a history begins with several bases.
  revision: (value, path) => (value === null ? [] : id(value, path)),
  children: list(exactly(arm)),
})
const branchings = list(exactly({ name: text, branches: list(point) }))
const findings = list(exactly({ name: text, problems: list(problem), warnings: list(problem), notes: list(text) }))
const difference = exactly(
  { object: text, kind: like(/^(?:missing|unexpected|different)$/) },
  { part: text, expected: text, found: text },
)
const drifts = list(
  exactly({ name: text, problems: list(problem) }, { objects: number, differences: list(difference) }),
)
const nothingOrText: Shape = (value, path) => (value === null ? [] : text(value, path))
const dataMaps = list(
  exactly({
    name: text,
    file: nothingOrText,
    columns: list(
      exactly({
        table: text,
        column: text,
        personal: flag,
        category: nothingOrText,
        purpose: text,
        legalBasis: nothingOrText,
        retention: text,
      }),
    ),
  }),
)
const repairs = list(
  exactly({
    name: text,
    repairs: list(
      exactly({ revision: id, message: text, file: like(/^databases\//), status: like(/^(?:planned|repaired)$/) }),
    ),
  }),
)

const leases = list(
  exactly(
    { name: text, state: like(/^(?:free|held|expired|unreachable)$/) },
    {
      holder: exactly({
        osUser: text,
        host: text,
        pid: number,
        command: text,
        since: time,
        databaseUser: text,
        run: like(/^[0-9a-f-]{36}$/),
      }),
      heartbeatAgeMs: number,
      expiresInMs: number,
      transactionPid: number,
      halfDone: exactly(
        { revision: id, direction: like(/^(?:up|down)$/), done: number, total: number },
        { rows: number },
      ),
      status: like(/^(?:released|nothing-to-do|failed)$/),
    },
  ),
)

const arrivals = list(
  exactly({ name: text, state: like(/^(?:ready|database-missing|unreachable)$/), tries: number, waitedMs: number }),
)
const takenLock = exactly(
  { relation: text, kind: text, mode: like(/Lock$/), blocks: like(/^(?:nothing|writes|reads and writes)$/) },
  { heldMs: number },
)
const rehearsedStep = exactly(
  {
    direction: like(/^(?:up|down)$/),
    revision: id,
    message: text,
    status: like(/^(?:applied|reverted|failed)$/),
    losses: list(text),
    sampled: flag,
    locks: list(takenLock),
    statements: list(
      exactly({
        statement: number,
        line: number,
        text: like(/^.{1,102}$/),
        durationMs: number,
        sampled: flag,
        locks: list(takenLock),
      }),
    ),
  },
  { durationMs: number },
)
const rehearsals = list(
  exactly(
    {
      name: text,
      origin: exactly({ kind: like(/^(?:copy|replay|template|dump|branch)$/) }, { reason: text }),
      verdict: like(/^(?:rehearsed|different|failed|not-tried|nothing-to-do)$/),
      passes: list(exactly({ pass: like(/^(?:up|down|again)$/), steps: list(rehearsedStep) })),
      stayed: list(id),
      objects: number,
      differences: list(
        exactly(
          { after: like(/^(?:down|again)$/), object: text, kind: like(/^(?:missing|unexpected|different)$/) },
          { part: text, expected: text, found: text },
        ),
      ),
      lostRows: list(exactly({ table: text, before: number, after: number }, { declared: text })),
    },
    { irreversible: id },
  ),
)
const lost = list(exactly({ name: text, place: text, tables: number, rows: number, bytes: number }))
const looks = list(
  exactly({ check: text, level: like(/^(?:ok|warning|wrong)$/), message: like(/\S/) }, { hint: like(/\S/) }),
)
const lints = list(
  exactly({
    name: text,
    revisions: list(id),
    findings: list(
      exactly({
        revision: id,
        direction: like(/^(?:up|down)$/),
        file: like(/^databases\//),
        line: number,
        column: number,
        rule: like(/^[a-z]+(?:-[a-z]+)+$/),
        effect: like(/^(?:blocks|breaks|surprises)$/),
        statement: like(/\S/),
        why: like(/\S/),
        safeWay: like(/\S/),
      }),
    ),
    notes: list(text),
    problems: list(problem),
  }),
)
const criticals = list(exactly({ name: text, critical: list(text) }, { missing: list(text) }))

const sha256 = like(/^sha256:[0-9a-f]{64}(?:\/[0-9a-f]{64})?$/)
const planFile = exactly(
  {
    formatVersion: constant(1),
    direction: like(/^(?:up|down)$/),
    target: text,
    allowOutOfOrder: flag,
    scope: like(/^(?:all|some)$/),
    databases: list(exactly({ name: text, current: list(id), applied: sha256 }, { snapshot: sha256 })),
    steps: list(exactly({ database: text, revision: id, message: text, checksum: sha256 })),
  },
  { phase },
)
const exports = list(
  exactly({
    name: text,
    format: like(/^(?:sql|golang-migrate|goose|dbmate|flyway)$/),
    folder: text,
    files: list(
      exactly({
        file: text,
        // Null for what is made from all of them, or is gone.
        revision: (value, path) => (value === null ? [] : id(value, path)),
        status: like(/^(?:written|unchanged|removed|planned|stale)$/),
      }),
    ),
  }),
)
const snapshots = list(
  exactly({
    name: text,
    file: like(/^databases\//),
    status: like(/^(?:written|unchanged|planned)$/),
    heads: list(id),
    revisions: list(id),
    statements: number,
  }),
)
const initdb = list(exactly({ file: text, executable: flag }, { database: text }))
const scripts = list(
  exactly({
    database: text,
    file: (value, path) => (value === null ? [] : text(value, path)),
    revisions: list(id),
    sql: text,
  }),
)

const takenOver = list(
  exactly({
    name: text,
    tool: like(/^(?:drizzle-kit (?:0\.31|1\.0)|Alembic)$/),
    revisions: list(
      exactly({
        id,
        name: text,
        parents: list(id),
        labels: list(text),
        dependsOn: list(id),
        message: text,
        created: time,
        folder: like(/^databases\//),
      }),
    ),
  }),
)

const provisioning = list(
  exactly({ name: text, steps: list(like(/^(?:alter|create|grant|revoke|set the password of) /)) }),
)
const rights = list(
  exactly({
    name: text,
    roles: list(
      exactly({
        role: text,
        kind: like(/^(?:owner|app|readonly)$/),
        of: text,
        how: like(/^(?:login|set role|not tried)$/),
        checks: list(
          exactly({
            check: like(/^(?:connect|select|insert|update|delete|truncate|ddl|drover)$/),
            expected: flag,
            found: flag,
            where: list(text),
          }),
        ),
      }),
    ),
  }),
)

/** The fields of each command beside those of every document. */
const bodies: Record<string, Record<string, Shape>> = {
  init: { databases: states, provisioning },
  upgrade: { databases: states },
  downgrade: { databases: states },
  plan: { databases: states, plan: planFile },
  current: { databases: states },
  history: { databases: histories },
  heads: { databases: histories },
  branches: { databases: branchings },
  show: { databases: histories },
  revision: { databases: made },
  merge: { databases: made },
  stamp: { databases: states },
  adopt: { databases: states },
  check: { databases: findings, compared: flag },
  lint: { databases: lints },
  validate: { databases: criticals },
  'data-map': { databases: dataMaps },
  access: { databases: rights },
  drift: { databases: drifts },
  rehearse: { databases: rehearsals },
  doctor: { databases: list(exactly({ name: text, findings: looks })), findings: looks },
  reset: { databases: states, lost },
  repair: { databases: repairs },
  snapshot: { databases: snapshots },
  export: { databases: exports },
  'tenant list': { databases: tenantStates },
  'tenant current': { databases: tenantStates },
  'tenant upgrade': { databases: tenantStates },
  'tenant downgrade': { databases: tenantStates },
  'tenant verify': { databases: verifications },
  'tenant create': {
    databases: constant([]),
    tenant: exactly({ ...tenant, row: like(/^(?:made|found)$/), revisions: number }),
  },
  'tenant drop': {
    databases: constant([]),
    tenant: exactly({ ...tenant, dropped: flag, tables: list(exactly({ name: text, rows: number })) }, { file: text }),
  },
  wait: { databases: arrivals },
  // What it prints otherwise is the command's.
  start: { databases: constant([]) },
  lock: { databases: leases },
  server: { server: exactly({ running: flag }) },
}

/** One document on stdout, of the shape that the command promises; its exit code is the process's; people read stderr. */
function expectDocument(ended: Ended, command: string, exitCode: number, body = bodies[command]!): void {
  const document = ended.json()
  const ok = exitCode === 0
  const shape = exactly(
    {
      formatVersion: constant(1),
      command: constant(command),
      ok: constant(ok),
      exitCode: constant(exitCode),
      ...body,
      ...(!ok && { error: problem, problems: list(problem) }),
    },
    { warnings: list(problem) },
  )
  expect(shape(document, 'document')).toEqual([])
  expect(ended.exitCode).toBe(exitCode)
  if (ok) {
    expect(ended.stderr).not.toMatch(/^error: /m)
    return
  }
  expect(document.problems[0]).toEqual(document.error)
  for (const { message } of document.problems) expect(ended.stderr).toContain(message)
}

const none = { databases: constant([]) }

/** What can be wrong with a pair. */
const faults = {
  nothing: () => {},
  unreachable: (pair: Pair) => {
    pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
  },
  failing: (pair: Pair) => pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'select 1 / 0;\n' }),
  uncritical: (pair: Pair) =>
    pair.write('databases/alpha/database.ts', `export default { name: 'alpha', critical: ['nothing'] }\n`),
  unsafe: (pair: Pair) => pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'drop index gone;\n' }),
  drifted: (pair: Pair) => query(pair.urls.alpha, 'create table extra (id int); comment on schema public is null'),
  malformed: (pair: Pair) => pair.write(`${pair.folders.alpha[0]}/revision.json`, '{}'),
  irreversible: async (pair: Pair) => {
    await pair.migrate('upgrade')
    await rm(join(pair.root, pair.folders.alpha[1]!, 'down.sql'))
  },
} as const

async function createFaultyPair(fault: keyof typeof faults): Promise<Pair> {
  const pair = await createPair()
  await faults[fault](pair)
  return pair
}

describe('--json prints one document of the promised shape', () => {
  // One workspace for each fault: the shape has to hold wherever the commands before have left the databases.
  const pairs = new Map<keyof typeof faults, Promise<Pair>>()
  const pairWith = (fault: keyof typeof faults) => {
    const pair = pairs.get(fault) ?? createFaultyPair(fault)
    pairs.set(fault, pair)
    return pair
  }
  afterAll(async () => {
    for (const pair of pairs.values()) await (await pair)[Symbol.asyncDispose]()
  })

  test.each([
    'current',
    'history',
    'heads',
    'branches',
    'show alpha/a1a1',
    'check',
    'check --offline',
    'lint --down',
    'lint --pending',
    'validate',
    'wait',
    'data-map',
    'drift',
    'server status',
    'lock status',
    'lock release -d alpha',
    'plan',
    'plan +1 -d alpha',
    'upgrade --dry-run',
    'upgrade +1 -d alpha',
    'upgrade',
    'upgrade head',
    'current --verbose',
    'check --verbose',
    'repair --dry-run',
    'repair -d alpha',
    'plan --downgrade',
    'downgrade --dry-run',
    'downgrade',
    'downgrade base --quiet',
    'downgrade base',
    'init',
    'stamp alpha/a1a1 beta/head --dry-run',
    'stamp alpha/a1a1 beta/head',
    'stamp heads --purge',
    'revision add -d beta --empty',
    'revision fork -d beta --empty --head b1b1 --splice --branch-label side --depends-on alpha/a2a2',
    'merge -d beta',
    'branches -d beta',
  ])('when it succeeds: %s', async (words) => {
    const pair = await pairWith('nothing')

    const ended = await pair.migrate(...words.split(' '), '--json')

    expectDocument(ended, words.split(' ')[0]!, 0)
  })

  test('of rehearsals', async () => {
    await using pair = await createPair()

    expectDocument(await pair.migrate('rehearse', '--json'), 'rehearse', 0)
    await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', up: 'create table third ();\nselect 1 / 0;\n' })
    expectDocument(await pair.migrate('rehearse', '--json'), 'rehearse', 1)
    await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', up: 'create table third ();\n', down: 'select 1;\n' })
    expectDocument(await pair.migrate('rehearse', '-d', 'beta', '--json'), 'rehearse', 4)
    expectDocument(await pair.migrate('rehearse', '--template', 'any', '--json'), 'rehearse', 2, none)
    expectDocument(await pair.migrate('rehearse', '-d', 'beta', '--template', 'any', '--json'), 'rehearse', 3, none)
    await pair.migrate('upgrade', '-d', 'beta')
    expectDocument(await pair.migrate('rehearse', '-d', 'beta', '--json'), 'rehearse', 0, none)
  })

  test('of reset and doctor', async () => {
    await using pair = await createPair()

    expectDocument(await pair.migrate('doctor', '--json'), 'doctor', 0)
    expectDocument(await pair.migrate('reset', '--dry-run', '--json'), 'reset', 0)
    expectDocument(await pair.migrate('reset', '--json'), 'reset', 3, none)
    const body = { ...bodies['reset'], provisioning }
    expectDocument(await pair.migrate('reset', '--yes', '--json'), 'reset', 0, body)
    pair.env['BETA_DATABASE_URL'] = 'postgres://nobody@127.0.0.1:9/nothing'
    expectDocument(await pair.migrate('doctor', '--json'), 'doctor', 4)
    expectDocument(await pair.migrate('reset', '--yes', '--json'), 'reset', 2, none)
  })

  test('when revisions have phases', async () => {
    await using pair = await createPair()
    await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', phase: 'contract' })
    await pair.addRevision('beta', { id: 'b3b3b3b3b3b3', dependsOn: ['alpha/a3a3a3a3a3a3'] })

    for (const words of [
      'plan --phase expand',
      'upgrade --phase expand',
      'current',
      'history',
      'revision last -d alpha --empty --phase contract',
    ]) {
      expectDocument(await pair.migrate(...words.split(' '), '--json'), words.split(' ')[0]!, 0)
    }
    const held = (await pair.migrate('plan', '--phase', 'expand', '--json')).json().databases
    expect(held.map(({ targets }: any) => targets[0].heldBack.length)).toEqual([1, 1])
  })

  test('when databases are made from snapshots', async () => {
    await using workspace = await createMirrored()

    expectDocument(await workspace.migrate('snapshot', '-d', 'gone', '--json'), 'snapshot', 2, none)
    const written = await workspace.migrate('snapshot', '--initdb', 'init', '--json')
    expectDocument(written, 'snapshot', 0, { ...bodies['snapshot'], initdb })
    for (const words of ['snapshot --dry-run', 'plan', 'upgrade --dry-run', 'upgrade', 'check']) {
      const ended = await workspace.migrate(...words.split(' '), '--json')
      expectDocument(ended, words.split(' ')[0]!, 0)
    }
  })

  test('when a history is exported', async () => {
    await using workspace = await createMirrored()

    for (const words of ['--dry-run', '', '']) {
      const rest = ['--format', 'sql', '-d', 'shop', '--out', 'out', ...words.split(' ').filter(Boolean), '--json']
      expectDocument(await workspace.migrate('export', ...rest), 'export', 0)
    }
    const several = await workspace.migrate('export', '--format', 'sql', '--out', 'out', '--json')
    expectDocument(several, 'export', 2, none)
  })

  test('when there are tenants, some of which fail or are not as they should be', async () => {
    await using workspace = await createTenantWorkspace()
    const migrate = (words: string) => workspace.migrate(...words.split(' '), '--json')
    await workspace.list('acme', 'Not-A-Slug')

    expectDocument(await migrate('tenant create globex'), 'tenant create', 0)
    expectDocument(await migrate('tenant create Globex'), 'tenant create', 2, none)
    expectDocument(await migrate('tenant upgrade --dry-run'), 'tenant upgrade', 0)
    expectDocument(await migrate('tenant upgrade --max-failures 2'), 'tenant upgrade', 1)
    await query(
      workspace.url,
      `delete from tenants where slug = 'Not-A-Slug'; delete from tenants where slug = 'globex'`,
    )
    expectDocument(await migrate('tenant list'), 'tenant list', 0)
    expectDocument(await migrate('tenant downgrade'), 'tenant downgrade', 0)
    expectDocument(await migrate('tenant current --check-heads'), 'tenant current', 4)
    await query(
      workspace.url,
      'alter table tenant_acme.contexts add column extra text; grant select on tenant_acme.contexts to public',
    )
    expectDocument(await migrate('tenant verify'), 'tenant verify', 4)
    expectDocument(await migrate('tenant drop acme --dry-run'), 'tenant drop', 0)
    expectDocument(await migrate('tenant drop acme'), 'tenant drop', 3)
    expectDocument(await migrate('tenant drop acme --yes --export a.sql'), 'tenant drop', 0)
  })

  test('when there are hooks', async () => {
    await using pair = await createPair()
    await pair.write('tell.ts', 'export default { run() {} }\n')
    await pair.write('drover.config.ts', `export default { hooks: { before: './tell.ts', after: './tell.ts' } }\n`)
    await pair.write('databases/alpha/before.sql', 'select 1;\n')
    const declaration = `export default { name: 'alpha', hooks: { before: './before.sql' } }\n`
    await pair.write('databases/alpha/database.ts', declaration)
    const withHooks = { ...bodies['upgrade'], hooks: list(hook) }

    const planned = await pair.migrate('plan', '--json')
    expectDocument(planned, 'plan', 0, { ...bodies['plan'], hooks: list(hook) })
    expectDocument(await pair.migrate('upgrade', '--dry-run', '--json'), 'upgrade', 0, withHooks)
    expectDocument(await pair.migrate('upgrade', '--json'), 'upgrade', 0, withHooks)
    expectDocument(await pair.migrate('upgrade', '--json'), 'upgrade', 0)
    expect(planned.json().databases[0].targets[0].hooks).toHaveLength(1)
  })

  test('when it succeeds: adopt', async () => {
    await using workspace = await createWorkspace()
    const url = await workspace.addDatabase('main')
    await writeJournalFolder(workspace, 'legacy', journalEntries)
    await migrateAsDrizzle045(url, journalEntries.slice(0, 2))

    expectDocument(await workspace.migrate('adopt', 'legacy', '--dry-run', '--json'), 'adopt', 0, {
      databases: takenOver,
    })
    expectDocument(await workspace.migrate('adopt', '--baseline', '--dry-run', '--json'), 'adopt', 0)
    expectDocument(await workspace.migrate('adopt', 'legacy', '--json'), 'adopt', 0, { databases: takenOver })
    expectDocument(await workspace.migrate('adopt', '--dry-run', '--json'), 'adopt', 0)
    expectDocument(await workspace.migrate('adopt', '--json'), 'adopt', 0)
  })

  test('when it succeeds: lock, of a database that is held', async () => {
    await using pair = await createPair()
    await pair.migrate('upgrade')
    await query(pair.urls.alpha, `update drover.lease set expires_at = clock_timestamp() + interval '1 minute'`)

    for (const words of ['lock status', 'lock release -d alpha', 'lock status']) {
      expectDocument(await pair.migrate(...words.split(' '), '--json'), 'lock', 0)
    }
  })

  test('when it succeeds: upgrade --abandon', async () => {
    await using pair = await createPair()
    const up = 'create table half ();\nselect 1 / 0;\n'
    await pair.addRevision('alpha', { id: 'a3a3a3a3a3a3', transaction: 'none', up })
    await pair.migrate('upgrade')

    for (const words of ['upgrade --abandon --dry-run', 'upgrade --abandon', 'upgrade --abandon']) {
      expectDocument(await pair.migrate(...words.split(' '), '--json'), 'upgrade', 0)
    }
  })

  test('of roles: init and access', async () => {
    await using guarded = await createGuarded()

    expectDocument(await guarded.migrate('init', '--dry-run', '--json'), 'init', 0)
    expectDocument(await guarded.migrate('init', '--json'), 'init', 0)
    expectDocument(await guarded.migrate('access', '--json'), 'access', 0)
    await query(guarded.urlOf('alpha', 'admin'), 'grant truncate on note to public')
    expectDocument(await guarded.migrate('access', '--json'), 'access', 4)
    guarded.env['ALPHA_APP_PASSWORD'] = ''
    guarded.env['DROVER_ADMIN_URL'] = ''
    expectDocument(await guarded.migrate('access', '-d', 'beta', '--json'), 'access', 4)
    expectDocument(await guarded.migrate('init', '--sql', '--json'), 'init', 0, { databases: constant([]), scripts })
  })

  test('when it succeeds: history --indicate-current', async () => {
    const pair = await pairWith('nothing')

    const ended = await pair.migrate('history', '--indicate-current', '--json')

    expectDocument(ended, 'history', 0, { databases: markedHistories })
  })

  test.each(['upgrade --sql', 'upgrade : --sql -d alpha', 'downgrade : --sql --out-dir out'])(
    'of scripts: %s',
    async (words) => {
      await using pair = await createPair()

      const ended = await pair.migrate(...words.split(' '), '--json')

      expectDocument(ended, words.split(' ')[0]!, 0, { databases: constant([]), scripts })
    },
  )

  test.each<[keyof typeof faults, string, number, Record<string, Shape>?]>([
    ['nothing', 'upgrade +9', 3],
    ['nothing', 'upgrade nowhere', 2, none],
    ['nothing', 'upgrade --dry', 2, none],
    ['nothing', 'upgrade --lock-timeout soon', 2, none],
    ['nothing', 'upgrad', 2, none],
    ['nothing', 'plan nowhere', 2, none],
    ['nothing', 'plan --check --downgrade', 4],
    ['nothing', 'upgrade --plan nowhere.json', 2, none],
    ['nothing', 'show', 2, none],
    ['nothing', 'stamp', 2, none],
    ['nothing', 'stamp nowhere', 2, none],
    ['nothing', 'stamp +1 -d alpha', 2],
    ['nothing', 'merge -d alpha', 2, none],
    ['nothing', 'adopt -d alpha', 3, none],
    ['nothing', 'adopt databases -d alpha', 3, none],
    ['nothing', 'show 9999', 2],
    ['nothing', 'check -d gamma', 2, none],
    ['nothing', 'server restart', 2, none],
    ['nothing', 'start', 2],
    ['nothing', 'wait --tries 0', 2, none],
    ['nothing', 'validate -d gamma', 2, none],
    ['unreachable', 'init', 2],
    ['unreachable', 'upgrade', 2],
    ['unreachable', 'plan', 2, { databases: states }],
    ['unreachable', 'downgrade', 2],
    ['unreachable', 'current', 2],
    ['unreachable', 'current --check-heads', 2],
    ['unreachable', 'stamp head', 2],
    ['unreachable', 'adopt -d beta', 2],
    ['unreachable', 'lock status', 2],
    ['unreachable', 'wait --tries 2 --interval 1ms', 2],
    ['uncritical', 'validate', 4],
    ['unsafe', 'lint', 4],
    ['unsafe', 'lint --pending --down', 4],
    ['nothing', 'lint nowhere', 2, none],
    ['malformed', 'lint', 4],
    ['unreachable', 'lock release -d beta', 2],
    ['unreachable', 'check', 4],
    ['unreachable', 'drift', 4],
    ['drifted', 'drift', 4],
    ['unreachable', 'history --indicate-current -d beta', 2],
    ['failing', 'current --check-heads', 4],
    ['failing', 'init', 1],
    ['failing', 'upgrade', 1],
    ['failing', 'upgrade --on-failure continue', 1],
    ['failing', 'upgrade --on-failure rollback', 1],
    ['malformed', 'upgrade', 2],
    ['malformed', 'current', 2],
    ['malformed', 'history', 2],
    ['malformed', 'heads', 2],
    ['malformed', 'branches', 2],
    ['malformed', 'merge -d alpha', 2],
    ['malformed', 'stamp head', 2],
    ['malformed', 'show alpha/a1a1', 2],
    ['malformed', 'revision x -d alpha --empty', 2],
    ['malformed', 'check', 4],
    ['malformed', 'drift', 4],
    ['irreversible', 'downgrade', 3],
  ])('when it fails, with %s wrong: %s', async (fault, words, exitCode, body) => {
    const pair = await pairWith(fault)

    const ended = await pair.migrate(...words.split(' '), '--json')

    expectDocument(ended, words.split(' ')[0]!, exitCode, body)
  })

  test('steps say what became of each revision, and states where each database stands', async () => {
    await using pair = await createFaultyPair('failing')

    const { databases } = (await pair.migrate('upgrade', '--json')).json()

    const ms = expect.any(Number)
    expect(databases).toEqual([
      {
        name: 'alpha',
        targets: [
          {
            target: '',
            current: ['a2a2a2a2a2a2'],
            heads: ['a3a3a3a3a3a3'],
            pending: ['a3a3a3a3a3a3'],
            state: 'behind',
            steps: [
              { direction: 'up', revision: 'a1a1a1a1a1a1', message: 'create a1', status: 'applied', durationMs: ms },
              { direction: 'up', revision: 'a2a2a2a2a2a2', message: 'create a2', status: 'applied', durationMs: ms },
              { direction: 'up', revision: 'a3a3a3a3a3a3', message: 'revision a3a3a3a3a3a3', status: 'failed' },
            ],
          },
        ],
      },
      {
        name: 'beta',
        targets: [
          {
            target: '',
            current: [],
            heads: ['b2b2b2b2b2b2'],
            pending: ['b1b1b1b1b1b1', 'b2b2b2b2b2b2'],
            state: 'behind',
            steps: [
              { direction: 'up', revision: 'b1b1b1b1b1b1', message: 'create b1', status: 'skipped' },
              { direction: 'up', revision: 'b2b2b2b2b2b2', message: 'create b2', status: 'skipped' },
            ],
          },
        ],
      },
    ])
  })
})
