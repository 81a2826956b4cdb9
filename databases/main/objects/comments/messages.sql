comment on table messages is 'What was said in a conversation. The application does not change it afterwards.';
