import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'test',
  schema: './src/schema/index.ts',
  after: ['gdpr'],
  url: ['TEST_DATABASE_URL'],
  access: { owner: 'test_owner', app: 'test_app', readonly: 'test_readonly' },
})
