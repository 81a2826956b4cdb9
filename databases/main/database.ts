import { defineDatabase } from '@drover/config'

export default defineDatabase({
  name: 'main',
  schema: './src/schema/index.ts',
  after: ['credentials'],
  url: ['DATABASE_URL'],
  access: { owner: 'main_owner', app: 'main_app', readonly: 'main_readonly' },
})
