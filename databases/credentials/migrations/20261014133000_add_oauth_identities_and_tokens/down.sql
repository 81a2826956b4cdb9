-- Lost: all tokens that providers issued to us. They stay valid at the providers; revoke them there first.
drop table oauth_tokens;

-- Lost: which account at which provider belongs to whom. Users without a password cannot sign in any more.
drop table oauth_identities;

drop type oauth_token_kind;
drop type identity_protocol;
