import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'credentials',
  aliases: ['creds'],
  schema: './src/schema/index.ts',
  after: [],
  url: ['CREDENTIALS_DATABASE_URL', 'CREDS_DATABASE_URL'],
  access: { owner: 'credentials_owner', app: 'credentials_app', readonly: 'credentials_readonly' },
  critical: ['user_credentials', 'sessions', 'refresh_tokens'],
  // What is applied everywhere is not written anew: the linter begins behind it.
  lint: { after: '301f92115937' },
})
