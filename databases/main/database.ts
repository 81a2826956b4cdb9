import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'main',
  schema: './src/schema/index.ts',
  after: ['credentials'],
  url: ['DATABASE_URL'],
  access: { owner: 'main_owner', app: 'main_app', readonly: 'main_readonly' },
  // The schemas of tenants have a history of their own.
  foreign: ['schema tenant_*'],
  critical: ['tenants', 'action_logs', 'audit_logs', 'idempotency_keys'],
  // What is applied everywhere is not written anew: the linter begins behind it.
  lint: { after: 'c3ab56e826f3' },
})
