create trigger meeting_attendance_set_updated_at
  before update on meeting_attendance
  for each row
  execute function set_updated_at();
