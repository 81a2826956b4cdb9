-- Lost: every summary, and what the models have cost to make them.
drop table summaries;
