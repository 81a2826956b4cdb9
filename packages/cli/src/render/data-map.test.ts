import { describe, expect, it } from 'vitest'

import { commentsOf, dataMapJson, describeDataMap } from './data-map.ts'

const map = {
  file: 'databases/gdpr/src/personal-data.ts',
  columns: [
    {
      table: 'people',
      column: 'email',
      personal: true,
      category: 'contact',
      purpose: "Reaching the person | a friend's \\ relative",
      legalBasis: 'legitimate_interests',
      retention: 'for a year',
    },
    { table: 'people', column: 'created_at', personal: false, purpose: 'When they came', retention: 'for a year' },
    { table: 'app.user', column: 'Id"s', personal: false, purpose: 'Key', retention: 'for ever' },
  ],
} as const

describe('describeDataMap', () => {
  it('is a Markdown table for each table of the database', () => {
    expect(describeDataMap('gdpr', map)).toBe(
      String.raw`# Data map of gdpr

## people

| column | personal data | purpose | legal basis | kept |
| --- | --- | --- | --- | --- |
| ${'`email`'} | contact | Reaching the person \| a friend's \\ relative | legitimate interests, Article 6(1)(f) | for a year |
| ${'`created_at`'} | | When they came | | for a year |

## app.user

| column | personal data | purpose | legal basis | kept |
| --- | --- | --- | --- | --- |
| ${'`Id"s`'} | | Key | | for ever |`,
    )
  })
})

describe('commentsOf', () => {
  it('is a comment for each column, which survives quotes and backslashes', () => {
    expect(commentsOf(map)).toBe(
      String.raw`comment on column "people"."email" is
  E'Reaching the person | a friend''s \\ relative. Personal data: contact. Basis: legitimate interests, Article 6(1)(f). Kept for a year.';
comment on column "people"."created_at" is
  'When they came. Kept for a year.';
comment on column "app"."user"."Id""s" is
  'Key. Kept for ever.';`,
    )
  })
})

describe('dataMapJson', () => {
  it('has every field of every column, null where there is nothing to say', () => {
    expect(dataMapJson('gdpr', map)).toMatchObject({
      name: 'gdpr',
      file: 'databases/gdpr/src/personal-data.ts',
      columns: [
        { table: 'people', column: 'email', personal: true, category: 'contact', legalBasis: 'legitimate_interests' },
        {
          table: 'people',
          column: 'created_at',
          personal: false,
          category: null,
          purpose: 'When they came',
          legalBasis: null,
          retention: 'for a year',
        },
        { table: 'app.user' },
      ],
    })
    expect(dataMapJson('main', undefined)).toEqual({ name: 'main', file: null, columns: [] })
  })
})
