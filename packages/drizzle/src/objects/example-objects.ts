import type { ObjectFile } from './object-file.ts'

/** An object file, written one way and another, and what removes the first of them. */
export interface ExampleObject {
  readonly file: string
  readonly sql: string
  readonly changed: string
  readonly undo: readonly string[]
}

/** The tables that the example objects are about. */
export const exampleTables = `
create type mood as enum ('sad', 'ok');
create table users (id int primary key, email text not null, mood mood, boss int, valid tstzrange, updated_at timestamptz);
create table posts (id int primary key, author int references users, title text not null, hits bigint not null default 0);
alter table posts enable row level security`

/** One object of every kind. Their files sort otherwise than they depend on each other. */
export const exampleObjects: readonly ExampleObject[] = [
  {
    file: 'extensions/btree_gist.sql',
    sql: 'create extension btree_gist;',
    changed: 'create extension btree_gist with schema app;',
    undo: ['drop extension btree_gist'],
  },
  {
    file: 'schemas/app.sql',
    sql: `create schema app;\ncomment on schema app is 'What the application calls.';`,
    changed: `create schema app;\ncomment on schema app is 'What applications call.';`,
    undo: ['drop schema app'],
  },
  {
    file: 'a/level.sql',
    sql: `create type level as enum ('low', 'high');`,
    changed: `create type level as enum ('lowest', 'low', 'it''s ok', 'high', 'highest');`,
    undo: ['drop type level'],
  },
  {
    file: 'a/point.sql',
    sql: 'create type place as (x int, y int);',
    changed: 'create type place as (x int, y int, z int);',
    undo: ['drop type place'],
  },
  {
    file: 'a/span.sql',
    sql: 'create type app.span as range (subtype = float8);',
    changed: 'create type app.span as range (subtype = numeric);',
    undo: ['drop type app.span'],
  },
  {
    file: 'a/email.sql',
    sql: `create domain email as text check (is_email(value));\ncomment on domain email is 'An address.';`,
    changed: `create domain email as text not null check (is_email(value));`,
    undo: ['drop domain email'],
  },
  {
    file: 'a/ticket.sql',
    sql: 'create sequence ticket increment by 2 minvalue 10;',
    changed: 'create sequence ticket minvalue 10 start with 10 cache 5 cycle;',
    undo: ['drop sequence ticket'],
  },
  {
    file: 'z/is_email.sql',
    sql: `create function is_email(address text) returns boolean language sql immutable as $$ select address like '%@%'; $$;`,
    changed: `create function is_email(address text) returns boolean language sql immutable as $$ select address ~ '@'; $$;`,
    undo: ['drop function is_email(text)'],
  },
  {
    file: 'z/touch.sql',
    sql: `-- Stamps rows; with "it's; $$" in a comment.
create or replace function touch() returns trigger language plpgsql as $body$
begin
  new.updated_at := now(); -- a semicolon; and $$ signs
  return new;
end;
$body$;
comment on function touch() is 'Stamps updated_at.';
revoke all on function touch() from public;`,
    changed: `create function touch() returns trigger language plpgsql as $body$
begin
  new.updated_at := clock_timestamp();
  return new;
end;
$body$;
comment on function touch() is 'Stamps updated_at; always later.';`,
    undo: ['drop function touch()'],
  },
  {
    file: 'f/count_users.sql',
    sql: 'create function count_users(of_mood mood) returns bigint language sql stable as $$ select count(*) from users where mood = of_mood $$;',
    changed:
      'create function count_users(of_mood mood) returns int language sql stable as $$ select count(*)::int from users where mood = of_mood $$;',
    undo: ['drop function count_users(mood)'],
  },
  {
    file: 'f/standard_body.sql',
    sql: 'create function newest() returns int language sql begin atomic select max(id) from users; end;',
    changed:
      'create function newest() returns int language sql begin atomic select min(id) from users; select max(id) from posts; end;',
    undo: ['drop function newest()'],
  },
  {
    file: 'f/variables.sql',
    sql: `create function mood_of(wanted int) returns text language plpgsql as $$ declare found users%rowtype; begin return found.mood; end $$;`,
    changed: `create function mood_of(wanted int, usual text default 'ok') returns text language plpgsql as $$ begin return usual; end $$;`,
    undo: ['drop function mood_of(integer)'],
  },
  {
    file: 'f/reset.sql',
    sql: 'create procedure reset_hits(post int, inout done boolean) language sql as $$ update posts set hits = 0 where id = post; select true $$;',
    changed:
      'create procedure reset_hits(post int, inout done boolean) language sql as $$ update posts set hits = 1 where id = post; select true $$;',
    undo: ['drop procedure reset_hits(integer, boolean)'],
  },
  {
    file: 'a/longest.sql',
    sql: 'create aggregate longest(text) (sfunc = longer, stype = text);',
    changed: `create aggregate longest(text) (sfunc = longer, stype = text, initcond = '');`,
    undo: ['drop aggregate longest(text)'],
  },
  {
    file: 'f/longer.sql',
    sql: 'create function longer(text, text) returns text language sql immutable as $$ select case when length($1) > length($2) then $1 else $2 end $$;',
    changed:
      'create function longer(a text, b text) returns text language sql immutable as $$ select case when length($1) > length($2) then $1 else $2 end $$;',
    undo: ['drop function longer(text, text)'],
  },
  {
    file: 'a/no_overlap.sql',
    sql: 'alter table users add constraint users_no_overlap exclude using gist (boss with =, valid with &&);',
    changed:
      'alter table users add constraint users_no_overlap exclude using gist (boss with =, valid with &&) deferrable initially deferred;',
    undo: ['alter table users drop constraint users_no_overlap'],
  },
  {
    file: 'a/boss.sql',
    sql: `alter table only users add constraint users_boss_fkey foreign key (boss) references users;
comment on constraint users_boss_fkey on users is 'Nobody is nobody''s.';`,
    changed:
      'alter table users add constraint users_boss_fkey foreign key (boss) references users on delete set null (boss);',
    undo: ['alter table users drop constraint users_boss_fkey'],
  },
  {
    file: 'a/author_deferrable.sql',
    sql: 'alter table posts alter constraint posts_author_fkey deferrable initially deferred;',
    changed: 'alter table posts alter constraint posts_author_fkey deferrable;',
    undo: ['alter table posts alter constraint posts_author_fkey not deferrable'],
  },
  {
    file: 'a/users_email.sql',
    sql: `create index users_email_idx on users (lower(email)) include (id);\ncomment on index users_email_idx is 'For logins.';`,
    changed: 'create unique index users_email_idx on users (lower(email)) where mood is not null;',
    undo: ['drop index users_email_idx'],
  },
  {
    file: 'a/users_statistics.sql',
    sql: 'create statistics users_statistics on email, mood from users;',
    changed: 'create statistics users_statistics (ndistinct) on email, mood from users;',
    undo: ['drop statistics users_statistics'],
  },
  {
    file: 'a/b_over_view.sql',
    sql: 'create view shouting as select upper(email) as email from happy_users;\ngrant select on shouting to public;',
    changed: `create view shouting as select upper(email) || '!' as email from happy_users;\ngrant select on shouting to public;`,
    undo: ['drop view shouting'],
  },
  {
    file: 'v/happy_users.sql',
    sql: `create view happy_users as select id, email from users where mood = 'ok';
comment on view happy_users is 'Those who are well.';
comment on column happy_users.id is 'Of the user.';
grant select (id) on happy_users to public;`,
    changed: `create view happy_users as select email, id from users where mood = 'ok';
comment on column happy_users.id is 'Of the user.';
grant select (email) on happy_users to public;`,
    undo: ['drop view happy_users'],
  },
  {
    file: 'v/totals.sql',
    sql: 'create materialized view totals as select author, sum(hits) as hits from posts group by author with no data;',
    changed:
      'create materialized view totals as select author, count(*) as posts from posts group by author with no data;',
    undo: ['drop materialized view totals'],
  },
  {
    file: 'a/totals_idx.sql',
    sql: 'create unique index totals_author_idx on totals (author);',
    changed: 'create unique index totals_author_idx on totals (author desc);',
    undo: ['drop index totals_author_idx'],
  },
  {
    file: 'v/rule.sql',
    sql: 'create rule shouting_insert as on insert to shouting do instead nothing;',
    changed: 'create rule shouting_insert as on insert to shouting do instead (select 1; select 2);',
    undo: ['drop rule shouting_insert on shouting'],
  },
  {
    file: 'r/posts_force.sql',
    sql: 'alter table posts force row level security;',
    changed: '-- The owner, too.\nalter table posts  force row level security;',
    undo: ['alter table posts no force row level security'],
  },
  {
    file: 'r/posts_own.sql',
    sql: `create policy own on posts for select using (author = newest());\ncomment on policy own on posts is 'One''s own.';`,
    changed: 'create policy own on posts for update using (author = newest());',
    undo: ['drop policy own on posts'],
  },
  {
    file: 'a/users_touch.sql',
    sql: `create trigger users_touch before update on users for each row when (old.* is distinct from new.*) execute function touch();
comment on trigger users_touch on users is 'Keeps updated_at.';`,
    changed: 'create trigger users_touch before update of email on users for each row execute function touch();',
    undo: ['drop trigger users_touch on users'],
  },
  {
    file: 'a/storage.sql',
    sql: 'alter table posts set (fillfactor = 70);\n-- drover:drop\nalter table posts reset (fillfactor);\n',
    changed: 'alter table posts set (fillfactor = 80);\n-- drover:drop\nalter table posts reset (fillfactor);\n',
    undo: ['alter table posts reset (fillfactor)'],
  },
  {
    file: 'a/default_privileges.sql',
    sql: 'alter default privileges in schema app grant select on tables to public;',
    changed: 'alter default privileges in schema app grant select, insert on tables to public;',
    undo: ['alter default privileges in schema app revoke select on tables from public'],
  },
  {
    file: 'a/grants.sql',
    sql: 'grant select (id), update (email) on users to public;',
    changed: 'grant select on users, posts to public;',
    undo: ['revoke select (id), update (email) on users from public'],
  },
  {
    file: 'a/comments.sql',
    sql: `comment on table users is 'People.';\ncomment on column users.email is E'Not\\nunique.';`,
    changed: `comment on column users.email is 'Where to write to.';\ncomment on table posts is 'What they write.';`,
    undo: ['comment on column users.email is null', 'comment on table users is null'],
  },
]

/** The files of all example objects, written the first way. */
export function firstFiles(): readonly ObjectFile[] {
  return exampleObjects.map(({ file, sql }) => ({ file, sql }))
}

/** The files of all example objects, written the other way. */
export function changedFiles(): readonly ObjectFile[] {
  return exampleObjects.map(({ file, changed }) => ({ file, sql: changed }))
}
