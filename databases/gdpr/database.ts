import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'gdpr',
  schema: './src/schema/index.ts',
  after: ['main'],
  url: ['GDPR_DATABASE_URL'],
  personalData: './src/personal-data.ts',
  access: { owner: 'gdpr_owner', app: 'gdpr_app', readonly: 'gdpr_readonly' },
  critical: ['user_profiles', 'consent_records', 'audit_logs'],
  // What is applied everywhere is not written anew: the linter begins behind it.
  lint: { after: '5229934df481' },
})
