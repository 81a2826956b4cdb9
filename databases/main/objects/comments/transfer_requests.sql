comment on table transfer_requests is 'Requests of members to move from one circle to another.';
comment on column transfer_requests.decided_at is 'Set for approved and denied requests, and only for those.';
