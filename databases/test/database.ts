import { defineDatabase } from '@drover/config'

export default defineDatabase({
  kind: 'snapshot',
  name: 'test',
  mirrors: ['gdpr'],
  after: ['gdpr'],
  url: ['TEST_DATABASE_URL'],
  access: { owner: 'test_owner', app: 'test_app', readonly: 'test_readonly' },
})
