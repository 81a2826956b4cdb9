import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'gdpr',
  schema: './src/schema/index.ts',
  after: ['main'],
  url: ['GDPR_DATABASE_URL'],
  personalData: './src/personal-data.ts',
  access: { owner: 'gdpr_owner', app: 'gdpr_app', readonly: 'gdpr_readonly' },
})
