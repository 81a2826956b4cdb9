create function verify_audit_logs() returns table (log_id uuid, sequence bigint, fault text)
  language sql
  stable
  set search_path = pg_catalog, pg_temp
as $$
  with erasures as (
    select erasure.resource_id as pseudonym
    from public.audit_logs as erasure
    where erasure.action = 'person.erase' and erasure.resource_type = 'person'
  ), linked as (
    select
      entry.log_id,
      entry.sequence,
      entry.previous_hash,
      lag(entry.sequence) over chain as sequence_before,
      lag(entry.hash) over chain as hash_before,
      entry.hash <> public.audit_log_hash(entry) as changed,
      -- Without its salt a digest proves nothing, and an entry of the erasure has to account for it.
      case
        when entry.actor_salt is not null then entry.actor_digest
          = public.audit_log_digest(entry.actor_salt, array[entry.user_id, entry.ip_address::text, entry.user_agent])
        else entry.ip_address is null and entry.user_agent is null and entry.user_id in (select pseudonym from erasures)
      end as actor_sound,
      case
        when entry.resource_salt is not null then entry.resource_digest
          = public.audit_log_digest(entry.resource_salt, array[entry.resource_id])
        else entry.resource_id in (select pseudonym from erasures)
      end as resource_sound
    from public.audit_logs as entry
    window chain as (order by entry.sequence)
  ), found as (
    select
      linked.log_id,
      linked.sequence,
      case
        when linked.sequence_before <> linked.sequence - 1 then 'entries before it are missing'
        when linked.previous_hash <> coalesce(linked.hash_before, linked.previous_hash)
          or (linked.sequence = 1 and linked.previous_hash <> '') then 'it does not follow the entry before it'
        when linked.changed then 'it was changed'
        when linked.actor_sound is not true then 'who acted was changed'
        when linked.resource_sound is not true then 'what it was done to was changed'
      end as fault
    from linked
  )
  select found.log_id, found.sequence, found.fault
  from found
  where found.fault is not null
  order by found.sequence
  limit 1
$$;

comment on function verify_audit_logs() is
  'The first entry of the audit trail that is not as it was written, and why; no row when all are. That the last entries '
  'are gone only shows against a sequence and hash that were noted elsewhere.';
