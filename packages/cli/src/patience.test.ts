import { describe, expect, it } from 'vitest'

import { readPatience } from './patience.ts'

const read = (tries?: string, interval?: string) =>
  readPatience({}, { DB_MAX_RETRIES: tries, DB_RETRY_INTERVAL: interval })

describe('readPatience', () => {
  it('is 30 tries, 2 seconds apart, where nothing is said or variables are empty', () => {
    expect(read()).toEqual({ tries: 30, intervalMs: 2000 })
    expect(read('', ' ')).toEqual({ tries: 30, intervalMs: 2000 })
  })

  it.each([
    ['1', 1000],
    ['0', 0],
    ['0.25', 250],
    ['500ms', 500],
    ['3s', 3000],
    ['1m', 60_000],
    ['24h', 86_400_000],
    [' 2 ', 2000],
  ])('takes DB_RETRY_INTERVAL=%s for %i ms', (interval, intervalMs) => {
    expect(read('7', interval)).toEqual({ tries: 7, intervalMs })
  })

  it.each(['0', '-1', '1.5', 'many', '1e3', '1000000', '7 tries'])('refuses DB_MAX_RETRIES=%s', (tries) => {
    expect(() => read(tries)).toThrow(/^DB_MAX_RETRIES is not how often a server is tried/)
  })

  it.each(['-1', 'soon', '2 s', '1d', '25h', '86401', '1e3', 'NaN', 'Infinity', '.'])(
    'refuses DB_RETRY_INTERVAL=%s',
    (interval) => {
      expect(() => read('1', interval)).toThrow(/^DB_RETRY_INTERVAL is not the time between two tries/)
    },
  )

  it('does not repeat a value, which may be a secret in the wrong place', () => {
    expect(() => read('postgres://me:secret@host/db')).not.toThrow(/secret/)
  })

  it('prefers options, and does not look at the variables that they stand for', () => {
    const environment = { DB_MAX_RETRIES: 'many', DB_RETRY_INTERVAL: 'soon' }

    expect(readPatience({ tries: 3, interval: 10 }, environment)).toEqual({ tries: 3, intervalMs: 10 })
    expect(() => readPatience({ tries: 3 }, environment)).toThrow(/^DB_RETRY_INTERVAL/)
    expect(() => readPatience({ interval: 86_400_001 }, {})).toThrow('--interval is longer than a day')
  })
})
