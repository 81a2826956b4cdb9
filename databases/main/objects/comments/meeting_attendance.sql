comment on table meeting_attendance is 'Who was asked to a meeting, and who came.';
