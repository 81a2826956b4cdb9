-- Lost: every context.
drop table contexts;
