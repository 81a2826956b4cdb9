/**
 * What a cast between two types of PostgreSQL loses without failing, as drizzle-kit writes it (`USING "a"::varchar(3)`), in
 * words; `undefined` when it keeps every value, or fails on those that it cannot keep.
 */
export function findCastLoss(from: string, to: string): string | undefined {
  const [left, right] = [readType(from), readType(to)]
  return (
    lossOfLength(left, right) ??
    lossOfFraction(left, right) ??
    lossOfTime(left, right) ??
    (left.family === 'integer' && right.family === 'boolean' ? 'every number but 0 becomes true' : undefined)
  )
}

interface Type {
  readonly name: string
  readonly family: 'text' | 'integer' | 'decimal' | 'float' | 'moment' | 'time' | 'date' | 'boolean' | 'other'
  /** The numbers in parentheses. */
  readonly sizes: readonly number[]
}

const families: readonly (readonly [RegExp, Type['family']])[] = [
  [/^(?:text|varchar|character varying|char|character|citext)$/, 'text'],
  [/^(?:smallint|integer|bigint|smallserial|serial|bigserial)$/, 'integer'],
  [/^(?:numeric|decimal)$/, 'decimal'],
  [/^(?:real|double precision)$/, 'float'],
  [/^timestamp/, 'moment'],
  [/^time\b/, 'time'],
  [/^date$/, 'date'],
  [/^boolean$/, 'boolean'],
]

function readType(text: string): Type {
  const sizes = /\(([\d, ]+)\)/.exec(text)?.[1]?.split(',').map(Number) ?? []
  const name = text.replace(/ *\([^)]*\)/, '')
  return { name, sizes, family: families.find(([pattern]) => pattern.test(name))?.[1] ?? 'other' }
}

/** How many characters the values of a type have at most, as text. */
function longestOf({ name, family, sizes }: Type): number {
  const known: Readonly<Record<string, number>> = {
    boolean: 5,
    smallint: 6,
    integer: 11,
    bigint: 20,
    uuid: 36,
    date: 13,
  }
  return family === 'text' && !/^(?:text|citext)$/.test(name) && sizes[0] !== undefined
    ? sizes[0]
    : (known[name] ?? Infinity)
}

function lossOfLength(from: Type, to: Type): string | undefined {
  const longest = longestOf(to)
  if (to.family !== 'text' || longestOf(from) <= longest) return undefined
  return `what is longer than ${longest} characters is cut off`
}

function lossOfFraction(from: Type, to: Type): string | undefined {
  const digits = from.family === 'decimal' && from.sizes.length > 0 ? (from.sizes[1] ?? 0) : Infinity
  if (from.family !== 'decimal' && from.family !== 'float') return undefined
  if (to.family === 'integer' && digits > 0) return 'digits behind the point are rounded off'
  if (to.family === 'decimal' && to.sizes.length > 0 && (to.sizes[1] ?? 0) < digits) {
    return `digits behind the point are rounded to ${to.sizes[1] ?? 0}`
  }
  const isLessExact = from.family === 'decimal' || (from.name === 'double precision' && to.name === 'real')
  return to.family === 'float' && isLessExact ? 'numbers with many digits are rounded' : undefined
}

function lossOfTime(from: Type, to: Type): string | undefined {
  if (from.family === 'moment' && to.family === 'date') return 'the time of day is dropped'
  if (from.family === 'moment' && to.family === 'time') return 'the date is dropped'
  const isMoment = (from.family === 'moment' || from.family === 'time') && from.family === to.family
  const [fewer, more] = [to.sizes[0] ?? 6, from.sizes[0] ?? 6]
  return isMoment && fewer < more ? `fractions of a second are rounded to ${fewer} digits` : undefined
}
