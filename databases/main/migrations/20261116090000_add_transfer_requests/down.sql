-- Lost: all transfer requests and the decisions on them.

drop table transfer_requests;

drop type transfer_status;
