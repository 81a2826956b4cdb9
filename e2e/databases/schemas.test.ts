import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'

import * as credentials from '@databases/credentials'
import * as gdpr from '@databases/gdpr'
import * as main from '@databases/main'
import { createClient as createTenantClient } from '@databases/tenant'
import { createThrowawayDatabase } from '@drover/server'
import { beforeAll, describe, expect, inject, test } from 'vitest'

import { catalogOf, query } from '../harness/query.ts'
import {
  createOne,
  createRepositoryDatabases,
  type HistoryName,
  makeTenant,
  modelledNames,
  repository,
} from '../harness/repository-databases.ts'
import { compareSchemas, type SchemaComparison } from './compare-schemas.ts'

/** The snapshot that drizzle-kit takes to be before the first. */
const origin = '00000000-0000-0000-0000-000000000000'

let urls: Readonly<Record<HistoryName, string>>
beforeAll(async () => {
  const databases = await createRepositoryDatabases({ ordinaryOwner: true })
  const upgrade = await databases.migrate('upgrade')
  if (upgrade.exitCode !== 0) throw new Error(upgrade.stderr)
  const tenant = await createOne(inject('serverUrl'), true)
  await makeTenant(tenant.url)
  urls = { ...databases.urls, tenant: tenant.url }
  return () => Promise.all([databases[Symbol.asyncDispose](), tenant[Symbol.asyncDispose]()])
})

describe.each(modelledNames)('the history of %s', (name) => {
  test('has three revisions or more, each with what runs up, what runs down, and the schema after it', async () => {
    const revisions = await readRevisions(name)

    expect(revisions.length).toBeGreaterThanOrEqual(3)
    for (const { folder, files, up, down } of revisions) {
      expect({ folder, files }).toEqual({
        folder,
        files: ['down.sql', 'migration.sql', 'objects.json', 'revision.json', 'snapshot.json'],
      })
      expect(up).toMatch(/^(?:create|alter) /m)
      expect(down).toMatch(/^(?:drop|alter) /m)
    }
  })

  test('names each revision after its snapshot, and its folder after the moment it was made', async () => {
    for (const { folder, revision, snapshot } of await readRevisions(name)) {
      expect(Object.keys(revision).filter((key) => key !== 'phase')).toEqual(['id', 'parents', 'message', 'created'])
      expect(revision.id).toBe(shortIdOf(snapshot.id))
      expect(folder).toMatch(new RegExp(`^${revision.created.replaceAll(/[-:TZ]/g, '')}_[a-z0-9_]+$`))
    }
  })

  test('is one line, for the snapshots as for the revisions', async () => {
    const revisions = await readRevisions(name)

    for (const [at, { revision, snapshot }] of revisions.entries()) {
      const before = revisions[at - 1]?.snapshot.id
      expect(snapshot.prevIds).toEqual([before ?? origin])
      expect(revision.parents).toEqual(before === undefined ? [] : [shortIdOf(before)])
    }
  })
})

test('drizzle-kit finds no difference between the last snapshots and the schemas', async () => {
  const comparisons = await askOnce()

  expect(comparisons.map(({ name, difference }) => ({ name, difference }))).toEqual(
    modelledNames.map((name) => ({ name, difference: [] })),
  )
})

test('the revisions make what drizzle-kit would make of the schemas, and what it has no words for', async () => {
  for (const { name, all } of await askOnce()) {
    await using made = await createThrowawayDatabase(inject('serverUrl'))
    await query(made.url, all.join('\n'))

    const ofDrizzle = (await catalogOf(made.url)).flatMap(inWordsOfDrizzle)
    const ofRevisions = (await catalogOf(urls[name as 'main'])).flatMap(inWordsOfDrizzle)

    // PostgreSQL 18 has a constraint for each NOT NULL besides.
    expect(ofDrizzle.length).toBeGreaterThan(50)
    expect(ofRevisions).toEqual(ofDrizzle)
  }
})

describe('the client', () => {
  test('of credentials writes and reads bytes, documents and times', async () => {
    const client = credentials.createClient(urls.credentials, { max: 1 })
    try {
      const userId = crypto.randomUUID()
      const row: typeof credentials.userCredentials.$inferInsert = {
        userId,
        passwordHash: Buffer.alloc(32, 1),
        passwordSalt: Buffer.alloc(16, 2),
        passwordAlgorithm: 'argon2id',
        passwordParameters: { memoryKib: 65_536 },
        passwordChangedAt: new Date('2026-11-01T12:00:00Z'),
      }
      await client.insert(credentials.userCredentials).values(row)
      await client.insert(credentials.backupCodes).values({ userId, codeHash: Buffer.alloc(32, 3) })

      const found = await client.query.userCredentials.findFirst({ where: { userId }, with: { backupCodes: true } })

      expect(found).toMatchObject({ ...row, failedAttempts: 0, lockedUntil: null, createdAt: expect.any(Date) })
      expect(found?.backupCodes).toMatchObject([{ codeHash: Buffer.alloc(32, 3), usedAt: null }])
    } finally {
      await client.$client.end()
    }
  })

  test('of main writes and reads documents, enums and defaults', async () => {
    const client = main.createClient(urls.main, { max: 1 })
    try {
      const [tenant] = await client
        .insert(main.tenants)
        .values({ name: 'Acme', slug: 'acme', settings: { colour: 'red', sizes: [1, 2] } })
        .returning()
      const tenantId = tenant!.id
      const [user] = await client.insert(main.users).values({ tenantId, email: 'ada@acme.example' }).returning()
      await client.insert(main.tasks).values({ tenantId, userId: user!.id, title: 'Buy chairs' })
      await main.withTenant(client, tenantId, (transaction) =>
        transaction.insert(main.actionLogs).values({ tenantId, actionType: 'email_send', provider: 'smtp' }),
      )

      expect(await client.query.tenants.findFirst({ where: { slug: 'acme' } })).toMatchObject({
        settings: { colour: 'red', sizes: [1, 2] },
        maxContexts: 10_000,
        isActive: true,
        createdAt: expect.any(Date),
      })
      expect(await client.query.tasks.findMany()).toMatchObject([{ userId: user!.id, status: 'todo' }])
      expect(
        await main.withTenant(client, tenantId, (transaction) => transaction.query.actionLogs.findMany()),
      ).toMatchObject([{ actionType: 'email_send', status: 'pending', request: {}, response: null }])
    } finally {
      await client.$client.end()
    }
  })

  // The one of gdpr is that of the tests as well.
  test.each(['gdpr', 'test'] as const)(
    'of %s writes and reads people with what belongs to them, and views',
    async (name) => {
      const client = gdpr.createClient(urls[name], { max: 1 })
      try {
        await client.insert(gdpr.userProfiles).values({ userId: 'ada', username: 'Ada', metadata: { plan: 'free' } })
        await client.insert(gdpr.userPreferences).values({ userId: 'ada', preferences: { language: 'en' } })
        await client.insert(gdpr.consentRecords).values({ userId: 'ada', consentType: 'mail', granted: true })
        await client.insert(gdpr.conversations).values({
          userId: 'ada',
          messages: [{ role: 'user', content: 'Hello' }],
          createdAt: new Date('2001-01-01T00:00:00Z'),
        })

        expect(
          await client.query.userProfiles.findFirst({
            where: { userId: 'ada' },
            with: { preferences: true, consents: true, conversations: true },
          }),
        ).toMatchObject({
          username: 'Ada',
          metadata: { plan: 'free' },
          lastUpdated: expect.any(Date),
          preferences: { preferences: { language: 'en' } },
          consents: [{ consentType: 'mail', granted: true, legalBasis: 'consent', withdrawnAt: null }],
          conversations: [{ messages: [{ role: 'user', content: 'Hello' }], lastMessageAt: null }],
        })
        expect(await client.select().from(gdpr.conversationsForCleanup)).toMatchObject([
          { userId: 'ada', createdAt: new Date('2001-01-01T00:00:00Z') },
        ])
      } finally {
        await client.$client.end()
      }
    },
  )

  test.each([
    ['credentials', credentials.createClient],
    ['main', main.createClient],
    ['gdpr', gdpr.createClient],
    ['tenant', createTenantClient],
  ] as const)('of %s does not repeat a URL that it cannot read', (_, createClient) => {
    const error = errorOf(() => createClient('postgres://app:hunter2@[bad/x'))

    expect(error).toBeInstanceOf(TypeError)
    // As a log would show it: with its cause, and whatever hangs on either.
    expect(inspect(error, { depth: null })).not.toContain('hunter2')
  })
})

function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

interface RevisionOnDisk {
  readonly folder: string
  readonly files: readonly string[]
  readonly up: string
  readonly down: string
  readonly revision: {
    readonly id: string
    readonly parents: readonly string[]
    readonly message: string
    readonly created: string
  }
  readonly snapshot: { readonly id: string; readonly prevIds: readonly string[] }
}

/** The revisions of a database as they are on disk, in the order of their folders. */
async function readRevisions(name: string): Promise<readonly RevisionOnDisk[]> {
  const migrations = join(repository, 'databases', name, 'migrations')
  const folders = (await readdir(migrations)).toSorted()
  return Promise.all(
    folders.map(async (folder) => {
      const read = (file: string) => readFile(join(migrations, folder, file), 'utf8')
      return {
        folder,
        files: (await readdir(join(migrations, folder))).toSorted(),
        up: await read('migration.sql'),
        down: await read('down.sql'),
        revision: JSON.parse(await read('revision.json')),
        snapshot: JSON.parse(await read('snapshot.json')),
      }
    }),
  )
}

function shortIdOf(snapshotId: string): string {
  return snapshotId.replaceAll('-', '').slice(0, 12)
}

let comparisons: Promise<readonly SchemaComparison[]> | undefined

/** Asks drizzle-kit once about all databases. */
function askOnce(): Promise<readonly SchemaComparison[]> {
  comparisons ??= compareSchemas(modelledNames)
  return comparisons
}

/** A line of a catalog without what Drizzle cannot say: none at all for functions and their schemas, triggers and comments. */
function inWordsOfDrizzle(line: string): readonly string[] {
  if (/^function |^schema (?!public\b)| trigger | comment(?: \d+)?: | constraint \S+ comment/.test(line)) return []
  const same = line
    .replace(', forced row level security', '')
    .replace(/(ON DELETE SET NULL) \(\w+\)/, '$1')
    // A column that a later revision adds is the last one.
    .replace(/^(table \S+ column \S+: )#\d+ /, '$1')
  return [same]
}
