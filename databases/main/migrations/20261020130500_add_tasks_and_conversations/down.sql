-- Lost: all tasks and their shares, all conversations and their messages.

drop table messages;
drop table conversations;
drop table task_shares;
drop table tasks;

drop type message_role;
drop type task_permission;
