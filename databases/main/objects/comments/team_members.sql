comment on table team_members is 'Who is in which team, and as what.';
