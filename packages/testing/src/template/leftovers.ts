import { quoteLiteral } from '@drover/engine'

import type { Administrator } from './administrator.ts'
import { isLeftover, madePrefix, nameTemplate, parseDatabaseName, templatePrefix } from './database-name.ts'
import { livesHere, thisProcess } from './this-process.ts'

/** Drops the databases that processes made which are gone, half-made templates among them. Returns their names. */
export async function collectLeftovers(administrator: Administrator): Promise<readonly string[]> {
  const rows = await administrator.send(`
select datname as name, (select count(*)::int from pg_stat_activity where datid = pg_database.oid) as sessions
from pg_database
where starts_with(datname, ${quoteLiteral(madePrefix)})`)
  const onlooker = { place: thisProcess().place, now: new Date(), lives: livesHere }
  const names = rows.flatMap(({ name, sessions }) => {
    const made = parseDatabaseName(String(name))
    return made && isLeftover({ made, sessions: Number(sessions) }, onlooker) ? [String(name)] : []
  })
  for (const name of names) await administrator.drop(name)
  return names
}

/**
 * Drops templates of a database that nobody has used for an hour, but for the three that were used last: one of them is
 * wanted again when a branch is checked out once more. One that is dropped although somebody needs it is made anew.
 */
export async function collectTemplates(administrator: Administrator, database: string): Promise<readonly string[]> {
  const ofDatabase = nameTemplate(database, '')
  const rows = await administrator.send(`
select name
from (
  select datname as name, used, row_number() over (order by used desc nulls last, datname) as place
  from pg_database,
    lateral (select substring(shobj_description(oid, 'pg_database') from 'used (.*)$')::timestamptz as used) as comment
  where starts_with(datname, ${quoteLiteral(ofDatabase)}) and length(datname) = ${ofDatabase.length + 16}
) as template
where place > 3 and coalesce(used < now() - interval '1 hour', true)`)
  const names = rows.map(({ name }) => String(name))
  for (const name of names) await administrator.drop(name)
  return names
}

/** Writes down that a template is used now, unless that was written a minute ago. */
export async function noteUse(administrator: Administrator, template: string): Promise<void> {
  if (!template.startsWith(templatePrefix)) throw new RangeError(`${template} is no template`)
  const name = quoteLiteral(template)
  await administrator.send(`do $use$
begin
  if (
    select substring(shobj_description(oid, 'pg_database') from 'used (.*)$')::timestamptz > now() - interval '1 minute'
    from pg_database
    where datname = ${name}
  ) is not true then
    execute format('comment on database %I is %L', ${name}, 'template of Drover for tests, used ' || now());
  end if;
exception
  -- It was dropped meanwhile, or is another user's.
  when undefined_object or invalid_catalog_name or insufficient_privilege then null;
end
$use$`)
}
