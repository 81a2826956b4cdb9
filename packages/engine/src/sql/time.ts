/** A `timestamptz` expression as ISO 8601 text, whatever the session's DateStyle and time zone, which drivers stumble over. */
export function selectTime(expression: string): string {
  return `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
}
