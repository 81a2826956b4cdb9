import { hash } from 'node:crypto'

import { type ConnectionUrl, quoteIdentifier, quoteLiteral } from '@drover/engine'
import { DroverError } from '@drover/history'

import { type Administrator, codeOf } from './administrator.ts'

/** A user who owns the databases that are made for it, and may do nothing else on the server. */
export interface Owner {
  readonly user: string
  readonly password: string
}

/**
 * Who that is on a server. The password comes from that of the administrator: all processes that test come to the same one, and
 * nobody else does. The name comes from the password, so that another one needs no change of a role that others log in as.
 */
export function ownerOn(server: ConnectionUrl): Owner {
  const password = hash('sha256', `owner of databases for tests\n${server.revealPassword()}`).slice(0, 32)
  return { user: `drover_test_owner_${hash('sha256', password).slice(0, 6)}`, password }
}

/**
 * Creates the role where it is missing.
 * @throws {DroverError} `PRIVILEGE_MISSING` when the administrator may not
 */
export async function ensureOwner(administrator: Administrator, { user, password }: Owner): Promise<void> {
  const role = quoteIdentifier(user)
  try {
    await administrator.send(`do $owner$
begin
  if not exists (select from pg_roles where rolname = ${quoteLiteral(user)}) then
    create role ${role} login password ${quoteLiteral(password)};
  end if;
  -- Whoever is no superuser has to be a member to give a database away.
  if not pg_has_role(current_user, ${quoteLiteral(user)}, 'member') then
    grant ${role} to current_user;
  end if;
exception
  -- Another process has made it at the same moment.
  when duplicate_object or unique_violation then null;
end
$owner$`)
  } catch (error) {
    if (codeOf(error) !== '42501') throw error
    throw new DroverError(
      {
        code: 'PRIVILEGE_MISSING',
        message:
          'the user of the server for tests may not create roles, and the database is to belong to an ordinary user',
        hint: 'let an administrator run: alter role <user> createrole; or leave out "as"',
        sqlstate: '42501',
      },
      { cause: error },
    )
  }
}
