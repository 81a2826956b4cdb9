import { type ChangeCases, table } from '../change-case.ts'

const mood = "export const m = pgEnum('m', ['a', 'b']);"

/** Defaults of columns. */
export const defaults: ChangeCases = {
  kind: 'defaults',
  cases: [
    { name: 'add a number', before: table('a: integer()'), after: table('a: integer().default(1)'), expect: 'right' },
    {
      name: 'change a number',
      before: table('a: integer().default(1)'),
      after: table('a: integer().default(-2)'),
      expect: 'right',
    },
    { name: 'drop a number', before: table('a: integer().default(1)'), after: table('a: integer()'), expect: 'right' },
    {
      name: 'a text with a quote',
      before: table('a: text()'),
      after: table(`a: text().default("it's")`),
      expect: 'right',
    },
    {
      name: 'a text with a backslash and a new line',
      before: table('a: text()'),
      after: table(`a: text().default('a\\\\b\\nc')`),
      expect: 'right',
    },
    {
      name: 'an empty text',
      before: table("a: text().default('x')"),
      after: table("a: text().default('')"),
      expect: 'right',
    },
    {
      name: 'a boolean',
      before: table('a: boolean().default(true)'),
      after: table('a: boolean().default(false)'),
      expect: 'right',
    },
    {
      name: 'a big number',
      before: table("a: bigint({ mode: 'bigint' })"),
      after: table("a: bigint({ mode: 'bigint' }).default(9007199254740993n)"),
      expect: 'right',
    },
    {
      name: 'a decimal',
      before: table('a: numeric()'),
      after: table("a: numeric().default('10.50')"),
      expect: 'right',
    },
    {
      name: 'an expression',
      before: table('a: timestamp()'),
      after: table("a: timestamp().default(sql`now() + interval '1 day'`)"),
      expect: 'right',
    },
    {
      name: 'a literal to an expression',
      before: table("a: text().default('x')"),
      after: table("a: text().default(sql`upper('x')`)"),
      expect: 'right',
    },
    {
      name: 'now',
      before: table('a: timestamp({ withTimezone: true })'),
      after: table('a: timestamp({ withTimezone: true }).defaultNow()'),
      expect: 'right',
    },
    {
      name: 'a moment',
      before: table('a: timestamp({ withTimezone: true })'),
      after: table("a: timestamp({ withTimezone: true }).default(new Date('2026-01-01T00:00:00Z'))"),
      expect: 'right',
    },
    { name: 'a date', before: table('a: date()'), after: table("a: date().default('2026-01-01')"), expect: 'right' },
    { name: 'a random uuid', before: table('a: uuid()'), after: table('a: uuid().defaultRandom()'), expect: 'right' },
    {
      name: 'jsonb',
      before: table('a: jsonb()'),
      after: table(`a: jsonb().default({ a: [1, 'x'], b: "it's" })`),
      expect: 'right',
    },
    {
      name: 'another jsonb',
      before: table('a: jsonb().default({})'),
      after: table('a: jsonb().default([])'),
      expect: 'right',
    },
    {
      name: 'an array of texts',
      before: table('a: text().array()'),
      after: table(`a: text().array().default(['x', 'y z', 'it"s'])`),
      expect: 'right',
    },
    {
      name: 'an empty array',
      before: table('a: integer().array().default([1, 2])'),
      after: table('a: integer().array().default([])'),
      expect: 'right',
    },
    {
      name: 'a value of an enum',
      before: `${mood} ${table('a: m()')}`,
      after: `${mood} ${table("a: m().default('b')")}`,
      expect: 'right',
    },
    {
      name: 'another value of an enum',
      before: `${mood} ${table("a: m().default('a')")}`,
      after: `${mood} ${table("a: m().default('b')")}`,
      expect: 'right',
    },
    {
      name: 'an array of an enum',
      before: `${mood} ${table('a: m().array()')}`,
      after: `${mood} ${table("a: m().array().default(['a'])")}`,
      expect: 'right',
    },
    { name: 'a point', before: table('a: point()'), after: table('a: point().default([1, 2])'), expect: 'right' },
    {
      name: 'an interval',
      before: table('a: interval()'),
      after: table("a: interval().default('1 day')"),
      expect: 'right',
    },
    {
      name: 'a custom type with a text',
      before: `const raw = customType({ dataType: () => 'varchar(9)' }); ${table('a: raw()')}`,
      after: `const raw = customType({ dataType: () => 'varchar(9)' }); ${table("a: raw().default('x')")}`,
      expect: 'right',
    },
    {
      name: 'a function that only the program knows',
      before: table('a: text()'),
      after: table("a: text().$defaultFn(() => 'x')"),
      expect: 'right',
    },
  ],
}
