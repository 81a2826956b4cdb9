drop index contexts_archived_at_idx;
drop index contexts_last_accessed_at_idx;

-- Lost: how much each context was used, and which are archived. Archived ones are given to models again.
alter table contexts
  drop constraint contexts_usage_check,
  drop column archived_at,
  drop column is_archived,
  drop column last_accessed_at,
  drop column access_count;
