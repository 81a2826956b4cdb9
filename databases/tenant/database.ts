import { defineDatabase, schemaPerTenant } from '@drover/config'

export default defineDatabase({
  name: 'tenant',
  aliases: ['tenants'],
  schema: './src/schema/index.ts',
  after: ['main'],
  // Where it is not set, tenants are in the database that lists them.
  url: ['TENANT_DATABASE_URL'],
  tenants: schemaPerTenant({
    registry: { defaults: { name: '{slug}' } },
    role: 'tenant_{slug}',
    app: ['main_app'],
    readonly: ['main_readonly'],
    shared: ['tenant_shared'],
  }),
  // The triggers of all tenants call the one function in it, so no downgrade of one of them may take it away.
  foreign: ['schema tenant_shared'],
})
