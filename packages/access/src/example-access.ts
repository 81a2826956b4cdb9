import type { WantedAccess } from './declare.ts'

/** What the database `main` of a test is to be like. */
export function exampleAccess(more: Partial<WantedAccess> = {}): WantedAccess {
  return {
    name: 'main',
    database: 'main',
    roles: { owner: 'main_owner', app: 'main_app', readonly: 'main_readonly' },
    extensions: [],
    strangers: ['credentials_app'],
    ...more,
  }
}
