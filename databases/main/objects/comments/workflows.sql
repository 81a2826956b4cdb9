comment on table workflows is 'Definitions of workflows; a changed definition is a new version.';
