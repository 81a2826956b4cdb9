comment on table oauth_identities is
  'Accounts at other providers with which a user may sign in, OAuth and single sign-on alike.';
comment on column oauth_identities.provider is
  'google, apple, … or the single sign-on of one customer: saml:acme.';
comment on column oauth_identities.subject is
  'Personal datum. The provider''s own stable id of the user (OpenID Connect: sub; for google the Google user id). '
  'Never the e-mail address, which changes hands.';
