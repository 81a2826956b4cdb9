import { describe, expect, it } from 'vitest'

import { findCastLoss } from './lossy-cast.ts'

describe('findCastLoss', () => {
  it.each([
    ['varchar(40)', 'varchar(3)', 'what is longer than 3 characters is cut off'],
    ['text', 'varchar(3)', 'what is longer than 3 characters is cut off'],
    ['varchar', 'char(4)', 'what is longer than 4 characters is cut off'],
    ['uuid', 'varchar(10)', 'what is longer than 10 characters is cut off'],
    ['numeric(10,4)', 'numeric(10,2)', 'digits behind the point are rounded to 2'],
    ['numeric', 'numeric(10)', 'digits behind the point are rounded to 0'],
    ['numeric(10, 2)', 'integer', 'digits behind the point are rounded off'],
    ['double precision', 'bigint', 'digits behind the point are rounded off'],
    ['double precision', 'real', 'numbers with many digits are rounded'],
    ['numeric', 'double precision', 'numbers with many digits are rounded'],
    ['timestamp', 'date', 'the time of day is dropped'],
    ['timestamp with time zone', 'time', 'the date is dropped'],
    ['timestamp', 'timestamp(3)', 'fractions of a second are rounded to 3 digits'],
    ['timestamp(6) with time zone', 'timestamp(0) with time zone', 'fractions of a second are rounded to 0 digits'],
    ['integer', 'boolean', 'every number but 0 becomes true'],
  ])('%s to %s: %s', (from, to, loss) => {
    expect(findCastLoss(from, to)).toBe(loss)
  })

  it.each([
    ['varchar(3)', 'varchar(40)'],
    ['varchar(3)', 'text'],
    ['integer', 'varchar(11)'],
    ['uuid', 'varchar(36)'],
    ['integer', 'bigint'],
    ['bigint', 'integer'],
    ['numeric(10)', 'integer'],
    ['numeric(10,2)', 'numeric(12,2)'],
    ['integer', 'numeric(10,2)'],
    ['real', 'double precision'],
    ['timestamp(3)', 'timestamp'],
    ['timestamp', 'timestamp with time zone'],
    ['date', 'timestamp'],
    ['text', 'integer'],
    ['mood', 'text'],
    ['text', 'mood'],
    ['jsonb', 'json'],
  ])('%s to %s keeps every value, or fails', (from, to) => {
    expect(findCastLoss(from, to)).toBeUndefined()
  })
})
