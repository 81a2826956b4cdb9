import { describe, expect, inject, it } from 'vitest'

import { exampleScripts } from './example-plan.ts'
import { exampleRunner } from './example-runner.ts'
import { findPoolerObstacle } from './session-needs.ts'

describe('findPoolerObstacle', () => {
  it('lets a connection to the server itself do everything', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))
    const scripts = exampleScripts([{ up: 'set search_path = app; vacuum;', transaction: 'none' }])

    expect(await runner.connection.isPooled()).toBe(false)
    expect(await findPoolerObstacle(runner.connection, scripts)).toBeUndefined()
  })
})

describe('runPlan', () => {
  it('leaves nothing of a revision in the session, and runs what it has deferred with its settings', async () => {
    await using runner = await exampleRunner(inject('serverUrl'))

    const outcome = await runner.upgrade([
      {
        up: `create schema app;
create table app.seen (path text);
create table app.users ();
create function app.see() returns trigger language plpgsql as $$
begin
  insert into seen values (current_setting('search_path'));
  return null;
end $$;
create constraint trigger see after insert on app.users deferrable initially deferred for each row execute function app.see();
set search_path = app;
set statement_timeout = '1h';
create temp table left_behind ();
insert into users default values;`,
      },
    ])

    expect(outcome.end).toEqual({ kind: 'succeeded' })
    expect(await runner.connection.send('select path from app.seen')).toEqual([{ path: 'app' }])
    expect(
      await runner.connection.send(`select current_setting('search_path') as path, to_regclass('left_behind') as table,
        current_setting('statement_timeout') as timeout`),
    ).toEqual([{ path: '"$user", public', table: null, timeout: '0' }])
  })
})
