import { upgradeWithData } from '@drover/testing'
import { expect, inject, test } from 'vitest'

import { query } from '../harness/query.ts'
import { createRepositoryDatabases, repository } from '../harness/repository-databases.ts'
import { acme, bolt, insertRow } from './two-tenants.ts'

const withCompleted = '8f2ac2454d1d'
const withStatus = 'c3ab56e826f3'

/** People, and tasks as they were before they had a status; nobody has touched them since January. */
const tasksOfOld = `
${[acme, bolt]
  .map(
    (tenant) => `
insert into tenants (id, name, slug) values ('${tenant.id}', '${tenant.slug}', '${tenant.slug}');
${insertRow('users', tenant)};
insert into tasks (tenant_id, user_id, title, completed, created_at, updated_at)
select '${tenant.id}', '${tenant.users}', '${tenant.slug} ' || i, i % 3 = 0, '2026-01-01 00:00Z', '2026-01-02 00:00Z'
from generate_series(1, 9) as i;`,
  )
  .join('\n')}`

test('completed tasks become done and the others to do, of every tenant, and nobody seems to have touched them', async () => {
  await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
  const url = databases.urls.main
  expect(await databases.migrate('upgrade', withCompleted, '-d', 'main')).toMatchObject({ exitCode: 0 })
  await query(url, tasksOfOld)

  expect(await databases.migrate('upgrade', withStatus, '-d', 'main')).toMatchObject({ exitCode: 0 })

  const untouched = { updated_at: new Date('2026-01-02T00:00:00Z') }
  expect(
    await query(
      url,
      `
select split_part(title, ' ', 1) as of, status, updated_at, array_agg(right(title, 1)::integer order by title) as tasks
from tasks
group by 1, 2, 3
order by 1, 2`,
    ),
  ).toEqual([
    { of: 'acme', status: 'todo', tasks: '{1,2,4,5,7,8}', ...untouched },
    { of: 'acme', status: 'done', tasks: '{3,6,9}', ...untouched },
    { of: 'bolt', status: 'todo', tasks: '{1,2,4,5,7,8}', ...untouched },
    { of: 'bolt', status: 'done', tasks: '{3,6,9}', ...untouched },
  ])
  expect(await columnsOfTasks(url)).toEqual(['status'])
  await query(url, `insert into tasks (tenant_id, user_id, title) values ('${acme.id}', '${acme.users}', 'new')`)
  expect(await query(url, `select status from tasks where title = 'new'`)).toEqual([{ status: 'todo' }])
  await expectTriggerWorks(url, `status = 'cancelled'`)
})

test('on the way back done tasks are completed and all others are not, with their times and their other columns', async () => {
  await using databases = await createRepositoryDatabases({ ordinaryOwner: true })
  const url = databases.urls.main
  await databases.migrate('upgrade', withCompleted, '-d', 'main')
  await query(url, tasksOfOld)
  const before = await query(url, 'select * from tasks order by title')
  await databases.migrate('upgrade', withStatus, '-d', 'main')
  await query(
    url,
    `
alter table tasks disable trigger tasks_set_updated_at;
update tasks set status = 'in_progress' where title = 'acme 1';
update tasks set status = 'cancelled' where title = 'acme 2';
update tasks set status = 'done' where title = 'bolt 1';
update tasks set status = 'todo' where title = 'bolt 3';
alter table tasks enable trigger tasks_set_updated_at`,
  )

  const down = await databases.migrate('downgrade', withCompleted, '-d', 'main')

  expect(down.exitCode).toBe(0)
  const changed: Record<string, boolean> = { 'bolt 1': true, 'bolt 3': false }
  expect(await query(url, 'select * from tasks order by title')).toEqual(
    before.map((task) => ({ ...task, completed: changed[task['title']] ?? task['completed'] })),
  )
  expect(await columnsOfTasks(url)).toEqual(['completed'])
  await query(url, `insert into tasks (tenant_id, user_id, title) values ('${acme.id}', '${acme.users}', 'new')`)
  expect(await query(url, `select completed from tasks where title = 'new'`)).toEqual([{ completed: false }])
  await expectTriggerWorks(url, 'completed = true')
})

test('there and back again, tasks that were only ever completed or not are what they were', async () => {
  let before: readonly unknown[] = []
  const allTasks = 'select * from tasks order by title'
  await upgradeWithData('main', {
    root: repository,
    server: inject('serverUrl'),
    // Policies are for the owner of the tables, too.
    as: 'owner',
    revision: withStatus,
    seed: async (sql) => {
      await sql.unsafe(tasksOfOld)
      before = [...(await sql.unsafe(allTasks))]
    },
    expect: async (sql) => {
      const done = await sql`select title from tasks where status = 'done' order by title`
      expect(done.map((task) => task['title'])).toEqual(['acme 3', 'acme 6', 'acme 9', 'bolt 3', 'bolt 6', 'bolt 9'])
    },
    expectAfterDown: async (sql) => {
      expect([...(await sql.unsafe(allTasks))]).toEqual(before)
    },
  })

  expect(before).toHaveLength(18)
})

/** Which of the two columns the table has. */
async function columnsOfTasks(url: string): Promise<readonly string[]> {
  const rows = await query(
    url,
    `
select attname
from pg_attribute
where attrelid = 'tasks'::regclass and attname in ('completed', 'status') and not attisdropped`,
  )
  return rows.map((row) => row['attname'])
}

/** The trigger, which stood still while rows were rewritten, is at work again. */
async function expectTriggerWorks(url: string, change: string): Promise<void> {
  const [row] = await query(
    url,
    `update tasks set ${change} where title = 'acme 4' returning updated_at = now() as touched`,
  )
  expect(row).toEqual({ touched: true })
}
