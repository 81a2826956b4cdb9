import { classify } from './define.ts'

// This file is compiled and never run: each declaration must be accepted, or refused where that is expected.

interface People {
  readonly $inferSelect: { userId: string; email: string | null }
}
const user_id = {
  personal: true,
  category: 'identity',
  purpose: 'Telling people apart',
  legalBasis: 'contract',
} as const
const email = { ...user_id, category: 'contact' } as const

classify<{ people: People }>({ people: { retention: 'for a year', columns: { user_id, email } } })
// @ts-expect-error Every column is classified.
classify<{ people: People }>({ people: { retention: 'for a year', columns: { user_id } } })
// @ts-expect-error A column that is gone is no longer classified.
classify<{ people: People }>({ people: { retention: 'for a year', columns: { user_id, email, phone: email } } })
// @ts-expect-error Columns have their names in the database.
classify<{ people: People }>({ people: { retention: 'for a year', columns: { userId: user_id, email } } })
// @ts-expect-error Every table is classified.
classify<{ people: People; pets: People }>({ people: { retention: 'for a year', columns: { user_id, email } } })
const withoutBasis = { personal: true, category: 'contact', purpose: 'Reaching the person' } as const
// @ts-expect-error Personal data needs a legal basis.
classify<{ people: People }>({ people: { retention: 'for a year', columns: { user_id, email: withoutBasis } } })
