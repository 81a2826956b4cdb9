comment on table tasks is 'Things to do, each of one user, some within a team.';
comment on column tasks.status is 'A cancelled task is neither open nor done.';
