import { describe, expect, it } from 'vitest'

import { classify } from './define.ts'
import { parsePersonalData } from './personal-data.ts'

const email = {
  personal: true,
  category: 'contact',
  purpose: 'Reaching the person',
  legalBasis: 'contract',
} as const

function faultsOf(exported: unknown): readonly string[] {
  const result = parsePersonalData(exported)
  if (result.ok) throw new Error('it was accepted')
  return result.faults
}

const people = (columns: unknown) => ({ people: { retention: 'for a year', columns } })

describe('parsePersonalData', () => {
  it('lists the columns in their order, each with the retention of its table unless it has its own', () => {
    const declaration = classify<{ people: { $inferSelect: { email: string; ipAddress: string; createdAt: Date } } }>({
      people: {
        retention: 'for a year',
        columns: {
          email,
          ip_address: { ...email, category: 'device', retention: 'for a week' },
          created_at: { personal: false, purpose: 'When the account was opened' },
        },
      },
    })

    expect(parsePersonalData(declaration)).toEqual({
      ok: true,
      columns: [
        { table: 'people', column: 'email', ...email, retention: 'for a year' },
        { table: 'people', column: 'ip_address', ...email, category: 'device', retention: 'for a week' },
        {
          table: 'people',
          column: 'created_at',
          personal: false,
          purpose: 'When the account was opened',
          retention: 'for a year',
        },
      ],
    })
  })

  it.each<[string, unknown, string]>([
    ['nothing', undefined, '"personalData" must be exported: export const personalData = classify({ … })'],
    ['a table without columns', { people: { retention: 'for a year' } }, '"people.columns" is missing'],
    ['a table without a retention', { people: { columns: {} } }, '"people.retention" is missing'],
    [
      'a field that is not known',
      { people: { retention: 'a', columns: {}, rows: 1 } },
      '"people.rows" is not known here',
    ],
    [
      'a column that does not say whether it is personal',
      people({ email: { purpose: 'Reaching the person' } }),
      '"people.columns.email.personal" must say whether it is "personal", true or false',
    ],
    [
      'personal data without a basis',
      people({ email: { ...email, legalBasis: undefined } }),
      '"people.columns.email.legalBasis" is missing',
    ],
    [
      'a basis that is none',
      people({ email: { ...email, legalBasis: 'curiosity' } }),
      '"people.columns.email.legalBasis" must be one of consent, contract, legal_obligation, vital_interests, public_task, legitimate_interests',
    ],
    [
      'a category of what is not personal',
      people({ id: { personal: false, purpose: 'Key', category: 'contact' } }),
      '"people.columns.id.category" is not known here',
    ],
    ...['', ' ', 'Reaching the person.', 'two\nlines'].map((purpose): [string, unknown, string] => [
      `a purpose that is ${JSON.stringify(purpose)}`,
      people({ email: { ...email, purpose } }),
      '"people.columns.email.purpose" must be one line without a full stop at its end',
    ]),
  ])('refuses %s', (_, exported, fault) => {
    expect(faultsOf(exported)).toEqual([fault])
  })
})
