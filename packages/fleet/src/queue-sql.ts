import { queueSchema } from '@drover/engine'

// What pg-boss has no way to be asked for, or told, of the table that all its jobs are in. Its version is pinned, and the tests of
// the queue look at what comes out. $1 is the name of the queue everywhere.
const jobs = `${queueSchema}.job`

/** The release of the job that comes next. */
export const selectNextRelease = `select data->>'release' as release
from ${jobs}
where name = $1 and state < 'active' and not blocked
order by priority desc, created_on
limit 1`

/** Whether some that go first ($2: the release) are not done. */
export const selectIsHeld = `select exists (
  select from ${jobs}
  where name = $1 and priority > 0 and state not in ('completed', 'cancelled') and data->>'release' = $2
) as is_held`

/** The release that is under way, if one is, with where it goes. */
export const selectUnderWay = `select data->>'release' as release, data->'revisions' as revisions
from ${jobs}
where name = $1 and state <= 'active'
order by created_on desc
limit 1`

/** The tenants that are in a release ($2) and have failed. */
export const selectFailedSlugs = `select singleton_key as slug
from ${jobs}
where name = $1 and state = 'failed' and data->>'release' = $2`

/** The tenants that are in the queue, begun or not. */
export const selectUnfinishedSlugs = `select singleton_key as slug
from ${jobs}
where name = $1 and state <= 'active'`

const latest = `select data->>'release'
  from ${jobs}
  where name = $1
  order by created_on desc
  limit 1`

/** The last release, in one document. $2: how many setbacks at most. */
export const selectStatus = `with latest as materialized (
  select *
  from ${jobs}
  where name = $1 and data->>'release' = (${latest})
),
setbacks as (
  select state, singleton_key as slug, coalesce(data->>'server', '') as server, retry_count + 1 as tries,
    coalesce(output->'problem', jsonb_build_object('message', coalesce(output#>>'{value,message}', 'nothing is known of it'))) as problem,
    row_number() over (partition by state order by singleton_key) as place
  from latest
  where state in ('failed', 'retry')
)
select jsonb_build_object(
  'release', (select data->>'release' from latest limit 1),
  'revisions', (select data->'revisions' from latest limit 1),
  'created', (select to_char(min(created_on) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from latest),
  'servers', (
    select jsonb_agg(server order by name)
    from (
      select coalesce(data->>'server', '') as name, jsonb_build_object(
        'name', coalesce(data->>'server', ''),
        'queued', count(*) filter (where state = 'created'),
        'active', count(*) filter (where state = 'active'),
        'done', count(*) filter (where state = 'completed'),
        'failed', count(*) filter (where state = 'failed'),
        'waiting', count(*) filter (where state = 'retry'),
        'cancelled', count(*) filter (where state = 'cancelled')
      ) as server
      from latest
      group by 1
    ) as counted
  ),
  'ratePerSecond', (
    select coalesce(
      count(*) / greatest(1, least(60, extract(epoch from now() - (select min(started_on) from latest)))), 0
    )
    from latest
    where state = 'completed' and completed_on > now() - interval '1 minute'
  ),
  'canaries', (
    select coalesce(jsonb_agg(jsonb_build_object('slug', singleton_key, 'hasFailed', state = 'failed') order by singleton_key), '[]')
    from latest
    where priority > 0 and state not in ('completed', 'cancelled')
  ),
  'failed', (
    select coalesce(jsonb_agg(to_jsonb(setbacks) - 'state' - 'place' order by slug), '[]')
    from setbacks
    where state = 'failed' and place <= $2
  ),
  'waiting', (
    select coalesce(jsonb_agg(to_jsonb(setbacks) - 'state' - 'place' order by slug), '[]')
    from setbacks
    where state = 'retry' and place <= $2
  )
) as status
where exists (select from latest)`

/** What nobody has begun. */
export const selectQueued = `select id from ${jobs} where name = $1 and state < 'active'`

/** What has failed in the last release. */
export const selectFailed = `select id from ${jobs} where name = $1 and state = 'failed' and data->>'release' = (${latest})`

/** Has a job ($2, taken $3 times before) fail for good with the failure that follows: what SQL cannot do now, it cannot do later. */
export const giveUp = `update ${jobs} set retry_limit = retry_count where name = $1 and id = $2 and state = 'active' and retry_count = $3`

/** Gives jobs ($2) so many tries ($3) as new ones have. */
export const renewTries = `update ${jobs} set retry_limit = retry_count + $3, start_after = now() where name = $1 and id = any ($2::uuid[])`
