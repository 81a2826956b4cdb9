import { everyRevisionGoesUpAndDown, headsAreSingle, migratedSet, schemaMatchesHistory } from '@drover/testing'
import { describe, expect, inject, test } from 'vitest'

import { catalogOf } from '../harness/query.ts'
import { repository } from '../harness/repository-databases.ts'

const options = { root: repository, server: inject('serverUrl') }

test('no history has several heads', async () => {
  await expect(headsAreSingle(options)).resolves.toBeUndefined()
})

describe.each(['credentials', 'main', 'gdpr', 'tenant'])('of %s', (name) => {
  test('every revision goes up, down and up again as the owner runs it, and none is without a way back', async () => {
    const { proved, skipped } = await everyRevisionGoesUpAndDown(name, { ...options, as: 'owner' })

    expect(proved.length).toBeGreaterThanOrEqual(3)
    expect(skipped).toEqual([])
  })

  test('the revisions make all that the Drizzle schema asks for', async () => {
    await expect(schemaMatchesHistory(name, options)).resolves.toBeUndefined()
  })
})

test('all databases can be had by a test, and that which mirrors gdpr is like it', async () => {
  await using databases = await migratedSet(['credentials', 'main', 'gdpr', 'test'], options)

  const gdpr = await catalogOf(databases.gdpr.url)
  expect(gdpr.length).toBeGreaterThan(150)
  expect(await catalogOf(databases.test.url)).toEqual(gdpr)
  expect((await catalogOf(databases.main.url)).length).toBeGreaterThan(150)
  expect((await catalogOf(databases.credentials.url)).length).toBeGreaterThan(50)
})
