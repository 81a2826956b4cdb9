-- Lost: all teams, circles, memberships with their payment state, meetings, attendance and events.

drop table events;
drop table meeting_attendance;
drop table meetings;
drop table circle_memberships;
drop table circles;
drop table team_members;
drop table teams;

drop type event_status;
drop type attendance_status;
drop type meeting_status;
drop type payment_status;
drop type circle_status;
drop type team_role;
