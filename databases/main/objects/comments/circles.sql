comment on table circles is 'Groups that meet regularly under a facilitator.';
comment on column circles.meeting_schedule is 'When the circle usually meets: weekday, time, frequency.';
