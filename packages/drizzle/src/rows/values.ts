import { findLiterals, guessTexts, type Literals } from './literals.ts'
import type { TypeShape } from './table-shape.ts'

/** Values for a column, as texts that its type reads. */
export interface Values {
  /** Each once. The first is the plainest; the edges of the type follow, then enough others to tell many rows apart. */
  readonly texts: readonly string[]
  /** Whether the server is known to take them all. If not, it has to be asked. */
  readonly sure: boolean
}

/**
 * Values for a column of a type.
 * @param modifier of the column, as in `pg_attribute.atttypmod`: length, precision and scale. -1 for none
 * @param literals constants that a constraint on the column names
 */
export function valuesOf(
  types: ReadonlyMap<string, TypeShape>,
  oid: string,
  modifier: number,
  literals: Literals,
): Values {
  const type = types.get(oid)
  if (!type) return { texts: [], sure: false }
  const hinted = literals.strings.length + literals.numbers.length > 0
  const { texts, sure } = makeValues(types, type, modifier, literals)
  return { texts: [...new Set(texts)], sure: sure && !hinted }
}

function makeValues(
  types: ReadonlyMap<string, TypeShape>,
  type: TypeShape,
  modifier: number,
  literals: Literals,
): Values {
  if (type.element !== null) {
    const element = valuesOf(types, type.element, modifier, literals)
    return { texts: arrays(element.texts, type.delimiter, literals), sure: element.sure }
  }
  switch (type.kind) {
    case 'e':
      return { texts: type.labels, sure: true }
    case 'd': {
      const own = findLiterals(type.checks)
      const base = valuesOf(types, type.base ?? '', type.baseModifier, {
        strings: [...literals.strings, ...own.strings],
        numbers: [...literals.numbers, ...own.numbers],
      })
      return { texts: base.texts, sure: base.sure && type.checks.length === 0 }
    }
    case 'c': {
      const parts = type.attributes.map((part) => valuesOf(types, part.type, part.modifier, literals))
      const rows = count(6).map((_, index) => parts.map(({ texts }) => texts[index % Math.max(texts.length, 1)]))
      const empty = parts.map(() => undefined)
      return { texts: [...rows, empty].map((row) => composite(row)), sure: false }
    }
    case 'r':
    case 'm': {
      const bound = types.get(type.bound ?? '')
      const steps = bound?.builtIn === true ? ascending.get(bound.name) : undefined
      const bounds = steps ?? valuesOf(types, type.bound ?? '', -1, literals).texts
      const found = steps ? ranges(steps) : [...ranges(bounds), ...ranges(bounds.toReversed())]
      return { texts: type.kind === 'r' ? found : multiranges(found), sure: steps !== undefined }
    }
    default:
      return makeBaseValues(type, modifier, literals)
  }
}

function makeBaseValues(type: TypeShape, modifier: number, literals: Literals): Values {
  const integer = integers.get(type.name)
  if (type.builtIn && integer !== undefined) return { texts: numbers(integer, literals), sure: true }
  switch (type.builtIn || type.name === 'citext' ? type.name : '') {
    case 'text':
    case 'citext':
      return { texts: textsUpTo(undefined, literals), sure: true }
    case 'varchar':
    case 'bpchar':
      // The modifier counts the four bytes of the length.
      return { texts: textsUpTo(modifier < 0 ? undefined : modifier - 4, literals), sure: true }
    case 'name':
      return { texts: textsUpTo(63, literals).filter((text) => Buffer.byteLength(text) <= 63), sure: true }
    case 'char':
      return { texts: ['a', 'B', 'c', 'd', 'e', 'f', 'g', 'h'], sure: true }
    case 'numeric':
      return makeNumericValues(modifier, literals)
    case 'float4':
    case 'float8':
      return { texts: ['1.5', '0', '-1.25', '1e+30', '1e-30', ...numbers('1000000', literals)], sure: true }
    case 'bytea':
      return { texts: bytes(literals), sure: true }
    case 'bit':
      return { texts: bits(Math.max(modifier, 1)), sure: true }
    case 'varbit':
      return { texts: modifier < 0 ? ['', ...bits(8)] : ['', ...bits(modifier)], sure: true }
    case 'json':
    case 'jsonb':
      return { texts: documents(literals), sure: true }
    default: {
      const known = type.builtIn ? plainValues.get(type.name) : undefined
      if (known) return { texts: [...known, ...literals.strings, ...neighbours(literals)], sure: type.name !== 'xml' }
      // Of an extension, perhaps: some of the usual notations, and a list as long as the modifier says.
      const list =
        modifier > 0 && modifier <= 4000
          ? [1, 2, 3].map(
              (item) =>
                `[${count(modifier)
                  .map(() => item)
                  .join(',')}]`,
            )
          : []
      return { texts: [...literals.strings, ...list, ...notations], sure: false }
    }
  }
}

/** Texts that are no numbers, one of them empty, one as long as the type allows (1000 characters at most). */
function textsUpTo(length: number | undefined, literals: Literals): readonly string[] {
  const longest = 'a long text with many words '.repeat(40).slice(0, Math.min(length ?? 1000, 1000))
  const all = [
    'Ada',
    '',
    'Grace Hopper',
    longest,
    `O'Brien \\ "ü" %_`,
    ...guessTexts(literals),
    ...usualTexts,
    ...count(12).map((_, n) => `text ${n}`),
    ...Array.from('bcdefghijklm'),
  ]
  return length === undefined ? all : all.map((text) => Array.from(text).slice(0, length).join(''))
}

/** What texts under a constraint often are. */
const usualTexts = [
  'abc',
  'de',
  'a',
  'A',
  'AB',
  'ABC',
  'EUR',
  'a-b',
  'a_b',
  'ab.cd',
  'ab:cd',
  'ada@example.com',
  'grace@example.com',
  'https://example.com/a',
  'example.com',
  '+49 30 1234567',
  '+49301234567',
  '#a1b2c3',
  '192.0.2.1',
  '2026-01-02',
  '12:34',
  'UTC',
  'Europe/Berlin',
  '1',
  '42',
  '12345',
  '1.0.0',
  '00000000-0000-4000-8000-000000000001',
  '0123456789abcdef'.repeat(2),
  '0123456789abcdef'.repeat(4),
  '/a/b',
]

function numbers(large: string, literals: Literals): readonly string[] {
  const named = literals.numbers.flatMap((text) => {
    const number = Number(text)
    return Number.isSafeInteger(number) ? [number, number + 1, number - 1].map(String) : []
  })
  return ['1', '0', '-1', large, ...named, ...count(12).map((_, n) => String(n + 2)), '100', '1000']
}

/** PostgreSQL packs precision and scale into the modifier: 16 bits and 11 bits with a sign, after the four of the length. */
function makeNumericValues(modifier: number, literals: Literals): Values {
  if (modifier < 0) {
    return {
      texts: [
        '1.5',
        '0',
        '-1.25',
        '12345678901234567890.123456789',
        ...literals.numbers,
        ...numbers('1000000', literals),
      ],
      sure: true,
    }
  }
  const precision = ((modifier - 4) >> 16) & 0xff_ff
  const scale = (((modifier - 4) & 0x7_ff) ^ 1024) - 1024
  const whole = precision - scale
  const fraction = (digits: string) => (scale > 0 ? `.${digits.padEnd(scale, '0').slice(0, scale)}` : '')
  if (whole < 3 || scale < 0) {
    const small = count(12).map((_, n) =>
      scale > 0 ? `0.${String(n + 1).padStart(scale, '0')}` : `${n + 1}${'0'.repeat(Math.max(-scale, 0))}`,
    )
    return { texts: [...small, '0', '-1', '1', ...numbers('99', literals), ...literals.numbers], sure: false }
  }
  const largest = '9'.repeat(whole) + fraction('9'.repeat(scale))
  return {
    texts: [
      `1${fraction('5')}`,
      '0',
      `-1${fraction('25')}`,
      largest,
      ...literals.numbers,
      ...numbers('100', literals).filter((text) => text.length <= 3),
    ],
    sure: true,
  }
}

function bytes(literals: Literals): readonly string[] {
  const lengths = literals.numbers.map(Number).filter((length) => Number.isInteger(length) && length <= 4000)
  const named = lengths.flatMap((length) => [length, length + 1, length - 1]).filter((length) => length >= 0)
  const ofLength = named.flatMap((length) => count(8).map((_, n) => `\\x${`0${n + 1}`.repeat(length)}`))
  return [
    String.raw`\x0102030405060708`,
    String.raw`\x`,
    String.raw`\x00ff`,
    ...ofLength,
    ...count(12).map((_, n) => `\\x4164610${n.toString(16)}`),
  ]
}

function bits(length: number): readonly string[] {
  const all = count(14).map((_, n) => (n + 1).toString(2).padStart(length, '0'))
  return ['0'.repeat(length), '1'.repeat(length), ...all.filter((text) => text.length === length)]
}

function documents(literals: Literals): readonly string[] {
  const named = literals.strings.filter((text) => text !== '')
  const fromNames =
    named.length > 0
      ? [named.map((name) => [name, 'text']), named.map((name) => [name, 1])].map((entries) =>
          JSON.stringify(Object.fromEntries(entries)),
        )
      : []
  return [
    '{"name": "Ada"}',
    '[]',
    '{}',
    '[1, "two", null]',
    '"text"',
    '{"name": null, "nested": {"list": [1.5, true]}}',
    ...fromNames,
    '1',
    'null',
    'true',
    ...count(10).map((_, n) => `{"number": ${n}}`),
    ...count(6).map((_, n) => `[${n}]`),
  ]
}

/** The days before and after those that a constraint names, whatever the time. */
function neighbours(literals: Literals): readonly string[] {
  return literals.strings.flatMap((text) => {
    const [, date, rest] = /^(\d{4}-\d\d-\d\d)(.*)$/.exec(text) ?? []
    const day = Date.parse(date ?? '')
    if (Number.isNaN(day)) return []
    return [day + dayLength, day - dayLength, day + 40 * dayLength].map(
      (moment) => `${new Date(moment).toISOString().slice(0, 10)}${rest}`,
    )
  })
}

const dayLength = 86_400_000

/** Arrays of one element, none, several with duplicates, and of the lengths that a constraint names. */
function arrays(elements: readonly string[], delimiter: string, literals: Literals): readonly string[] {
  const [first, second = first, third = first] = elements
  if (first === undefined) return ['{}']
  const write = (items: readonly (string | undefined)[]) =>
    `{${items.map((item) => (item === undefined ? 'NULL' : quotePart(item))).join(delimiter)}}`
  const lengths = literals.numbers.map(Number).filter((length) => Number.isInteger(length) && length <= 100)
  const named = lengths.flatMap((length) => [length, length + 1, length - 1]).filter((length) => length > 0)
  return [
    write([first]),
    '{}',
    write([first, second, second]),
    write([third, undefined]),
    ...elements.slice(1).map((element) => write([element])),
    ...elements.slice(1).map((element) => write([first, element])),
    ...named.flatMap((length) =>
      elements
        .slice(0, 6)
        .map((_, shift) => write(count(length).map((_item, index) => elements[(index + shift) % elements.length]))),
    ),
  ]
}

function composite(parts: readonly (string | undefined)[]): string {
  return `(${parts.map((part) => (part === undefined ? '' : quotePart(part))).join(',')})`
}

/** Ranges that do not overlap, of ascending bounds; then an empty one. */
function ranges(bounds: readonly string[]): readonly string[] {
  const pairs = count(Math.floor(bounds.length / 2)).map((_, index) => bounds.slice(index * 2, index * 2 + 2))
  return [...pairs.map((pair) => `[${pair.map((bound) => quotePart(bound)).join(',')})`), 'empty']
}

function multiranges(texts: readonly string[]): readonly string[] {
  const full = texts.filter((text) => text !== 'empty')
  return ['{}', ...full.map((text) => `{${text}}`), `{${full.slice(0, 2).join(',')}}`].toSorted(
    (one, other) => Number(one === '{}') - Number(other === '{}'),
  )
}

/** A part of an array, a row or a range, whatever is in it. */
function quotePart(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, (character) => `\\${character}`)}"`
}

function count(length: number): readonly undefined[] {
  return Array.from({ length: Math.max(length, 0) }, () => undefined)
}

/** A large number of each. */
const integers = new Map([
  ['int2', '32000'],
  ['int4', '2000000000'],
  ['int8', '9000000000000000000'],
  ['oid', '4000000000'],
  ['money', '1000000'],
])

const days = count(9).map((_, n) => `2026-0${n + 1}-15`)

/** Bounds of ranges, each above the one before. */
const ascending = new Map<string, readonly string[]>([
  ['int4', count(20).map((_, n) => String(n * 10 - 10))],
  ['int8', count(20).map((_, n) => String(n * 10 - 10))],
  ['numeric', count(20).map((_, n) => `${n * 10 - 10}.5`)],
  ['date', [...days, ...days.map((day) => day.replace('2026', '2027'))]],
  ['timestamp', [...days, ...days.map((day) => day.replace('2026', '2027'))].map((day) => `${day} 12:34:56.789`)],
  ['timestamptz', [...days, ...days.map((day) => day.replace('2026', '2027'))].map((day) => `${day} 12:34:56.789+00`)],
])

const moments = [
  '2024-02-29 12:34:56.789012',
  '1969-12-31 23:59:59',
  '2100-01-01 00:00:00',
  ...days.map((day) => `${day} 08:00:00`),
]

/** Values of types without a modifier, or with one that only rounds. */
const plainValues = new Map<string, readonly string[]>([
  ['bool', ['true', 'false']],
  ['date', ['2024-02-29', '1969-12-31', '2100-01-01', ...days]],
  ['time', ['12:34:56.789', '00:00:00', '23:59:59', ...days.map((_, n) => `0${n}:30:00`)]],
  ['timetz', ['12:34:56.789+02', '00:00:00+00', '23:59:59-05', ...days.map((_, n) => `0${n}:30:00+01`)]],
  ['timestamp', moments],
  ['timestamptz', moments.map((moment) => `${moment}+00`)],
  [
    'interval',
    ['1 day', '00:00:00', '-1 mons', '1 year 2 mons 3 days 04:05:06', ...days.map((_, n) => `${n + 1} hours`)],
  ],
  ['uuid', count(16).map((_, n) => `00000000-0000-4000-8000-0000000000${(n + 1).toString(16).padStart(2, '0')}`)],
  ['inet', ['192.0.2.1', '::1', '10.0.0.0/8', ...days.map((_, n) => `198.51.100.${n}`)]],
  ['cidr', ['192.0.2.0/24', '::/0', '10.0.0.0/8', ...days.map((_, n) => `198.51.100.${n}/32`)]],
  ['macaddr', days.map((_, n) => `08:00:2b:01:02:0${n}`)],
  ['macaddr8', days.map((_, n) => `08:00:2b:01:02:03:04:0${n}`)],
  ['xml', ['<name>Ada</name>', '<empty/>', ...days.map((_, n) => `<number>${n}</number>`)]],
  ['tsvector', [`'ada':1 'hopper':2`, '', ...days.map((_, n) => `'word${n}':1`)]],
  ['tsquery', [`'ada' & 'hopper'`, `!'ada'`, ...days.map((_, n) => `'word${n}'`)]],
  ['point', ['(1,2)', '(0,0)', '(-1.5,3)', ...days.map((_, n) => `(${n},10)`)]],
  ['line', ['{1,2,3}', ...days.map((_, n) => `{1,-1,${n + 4}}`)]],
  ['lseg', ['[(0,0),(1,1)]', ...days.map((_, n) => `[(${n},0),(5,5)]`)]],
  ['box', ['(1,1),(0,0)', ...days.map((_, n) => `(${n * 10 + 15},1),(${n * 10 + 10},0)`)]],
  ['path', ['[(0,0),(1,1),(2,0)]', ...days.map((_, n) => `((${n},0),(1,1),(2,0))`)]],
  [
    'polygon',
    ['((0,0),(1,1),(2,0))', ...days.map((_, n) => `((${n * 10 + 10},0),(${n * 10 + 11},1),(${n * 10 + 12},0))`)],
  ],
  ['circle', ['<(0,0),1>', ...days.map((_, n) => `<(${n * 10 + 10},0),2>`)]],
  ['pg_lsn', ['0/1', ...days.map((_, n) => `16/B37424${n}`)]],
  ['jsonpath', ['$."name"', ...days.map((_, n) => `$[${n}]`)]],
  ['regclass', ['pg_class', 'pg_type', 'pg_proc']],
  ['regtype', ['integer', 'text', 'boolean']],
  ['xid', ['1', '2', '3']],
])

const notations = [
  '1',
  'a',
  'a.b',
  '{}',
  '[1,2,3]',
  '{1,2,3}',
  '(1,2)',
  '(1,2,3)',
  '"a"=>"b"',
  'POINT(1 2)',
  'POLYGON((0 0,1 0,1 1,0 0))',
  'LINESTRING(0 0,1 1)',
  '1.2.3',
  '',
  'b',
  'c',
  'a.c',
  '"a"=>"c"',
  'POINT(3 4)',
]
