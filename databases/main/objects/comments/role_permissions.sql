comment on table role_permissions is 'Which role allows what.';
