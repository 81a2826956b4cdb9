alter table workflows force row level security;
