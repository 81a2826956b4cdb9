import type { Verdict } from './prove.ts'

/** What to do about a candidate that could not be proved, in lines; none where the reason says it all. */
export function adviceFor({ fault, side, sqlstate }: Verdict & { readonly ok: false }): readonly string[] {
  if (fault === 'loss') {
    return ['Move the values before what holds them goes, or accept the loss by removing the line above.']
  }
  const known = sqlstate === undefined ? undefined : byState[sqlstate]
  if (known !== undefined) return known
  if (fault === 'rows' && side === 'up') {
    return ['It works on empty tables. If the rows that are there in production are fit for it, remove the line above.']
  }
  return []
}

const convert = [
  'Say how values are converted, for example:',
  '  ALTER TABLE … ALTER COLUMN … TYPE … USING (…)',
  'A default of the column that does not fit goes first: ALTER TABLE … ALTER COLUMN … DROP DEFAULT',
]

const byState: Readonly<Record<string, readonly string[]>> = {
  // not_null_violation
  '23502': [
    'Rows that are there have no value for it. Give them one first, for example:',
    '  ALTER TABLE … ADD COLUMN … (without NOT NULL)',
    '  UPDATE … SET … = … WHERE … IS NULL',
    '  ALTER TABLE … ALTER COLUMN … SET NOT NULL',
    'If there are none in production, remove the line above.',
  ],
  // unique_violation
  '23505': ['Rows may hold the same value twice. Make them differ first; if they are sure to, remove the line above.'],
  // check_violation
  '23514': ['Rows may break the check. Correct them first; if they are sure to keep it, remove the line above.'],
  // foreign_key_violation
  '23503': ['Rows may name what is not there. Correct them first; if they are sure not to, remove the line above.'],
  // datatype_mismatch, cannot_coerce, invalid_text_representation, invalid_datetime_format, numeric_value_out_of_range, string_data_right_truncation
  '42804': convert,
  '42846': convert,
  '22P02': convert,
  '22007': convert,
  '22003': convert,
  '22001': convert,
}
