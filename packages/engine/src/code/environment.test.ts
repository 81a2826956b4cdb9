import { expect, it } from 'vitest'

import { withoutSecrets } from './environment.ts'

it('keeps where things are and how people write, and nothing else', () => {
  const harmless = { PATH: '/bin', HOME: '/home/me', TZ: 'UTC', LANG: 'C', LC_ALL: 'C', TMPDIR: '/tmp' }

  expect(
    withoutSecrets({
      ...harmless,
      MAIN_DATABASE_URL: 'postgres://app:secret@db/main',
      DROVER_ADMIN_URL: 'postgres://admin:secret@db/postgres',
      POSTGRES_PASSWORD: 'secret',
      PGPASSWORD: 'secret',
      NODE_OPTIONS: '--env-file=secrets',
      AWS_SECRET_ACCESS_KEY: 'secret',
    }),
  ).toEqual(harmless)
})

it('leaves out what is not set', () => {
  expect(withoutSecrets({ PATH: undefined })).toEqual({})
})
