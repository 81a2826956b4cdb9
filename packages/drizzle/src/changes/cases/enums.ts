import { type ChangeCases, table } from '../change-case.ts'

const used = (values: string, column = 'm()') => `export const m = pgEnum('m', [${values}]); ${table(`a: ${column}`)}`

/** Enums and their values. */
export const enums: ChangeCases = {
  kind: 'enums',
  cases: [
    { name: 'create an enum', before: '', after: "export const m = pgEnum('m', ['a', 'b'])", expect: 'right' },
    { name: 'create an enum with a column', before: table(), after: used("'a', 'b'"), expect: 'right' },
    { name: 'drop an enum', before: "export const m = pgEnum('m', ['a', 'b'])", after: '', expect: 'right' },
    { name: 'drop an enum with its column', before: used("'a', 'b'"), after: table(), expect: 'right' },
    { name: 'add a value at the end', before: used("'a', 'b'"), after: used("'a', 'b', 'c'"), expect: 'right' },
    { name: 'add a value in front', before: used("'a', 'b'"), after: used("'z', 'a', 'b'"), expect: 'right' },
    { name: 'add a value in the middle', before: used("'a', 'b'"), after: used("'a', 'x', 'b'"), expect: 'right' },
    {
      name: 'add several values',
      before: used("'a', 'b'"),
      after: used("'x', 'a', 'y', 'z', 'b', 'w'"),
      expect: 'right',
    },
    {
      name: 'add a value with a quote',
      before: used("'a', 'b'"),
      after: used(`'a', 'b', "it's"`),
      expect: 'fell back',
    },
    {
      name: 'add a value to an enum without columns',
      before: "export const m = pgEnum('m', ['a'])",
      after: "export const m = pgEnum('m', ['a', 'b'])",
      expect: 'right',
    },
    {
      name: 'add a value and make it a default',
      before: used("'a', 'b'"),
      after: used("'a', 'b', 'c'", "m().default('c')"),
      expect: 'right',
    },
    {
      name: 'add a value to an enum that is used in an array',
      before: used("'a', 'b'", 'm().array()'),
      after: used("'a', 'b', 'c'", 'm().array()'),
      expect: 'right',
    },
    { name: 'remove a value', before: used("'a', 'b', 'c'"), after: used("'a', 'b'"), expect: 'needs data' },
    {
      name: 'remove a value of an enum without columns',
      before: "export const m = pgEnum('m', ['a', 'b'])",
      after: "export const m = pgEnum('m', ['a'])",
      expect: 'right',
    },
    {
      name: 'remove a value of an enum with a default',
      before: used("'a', 'b', 'c'", "m().default('a')"),
      after: used("'a', 'b'", "m().default('a')"),
      expect: 'needs data',
    },
    {
      name: 'rename a value',
      before: used("'a', 'b'"),
      after: used("'a', 'c'"),
      renames: ['m.b=m.c'],
      expect: 'right',
    },
    {
      name: 'rename a value that is a default',
      before: used("'a', 'b'", "m().default('b')"),
      after: used("'a', 'c'", "m().default('c')"),
      renames: ['m.b=m.c'],
      expect: 'right',
    },
    {
      name: 'rename a value and add another',
      before: used("'a', 'b'"),
      after: used("'a', 'c', 'd'"),
      renames: ['m.b=m.c'],
      expect: 'right',
    },
    {
      name: 'rename a value with a quote',
      before: used(`'a', "it's"`),
      after: used("'a', 'its'"),
      renames: ["m.it's=m.its"],
      expect: 'right',
    },
    { name: 'replace a value by another', before: used("'a', 'b'"), after: used("'a', 'c'"), expect: 'needs data' },
    {
      name: 'change the order of values',
      before: used("'a', 'b', 'c'"),
      after: used("'c', 'a', 'b'"),
      expect: 'right',
    },
    {
      name: 'rename an enum',
      before: used("'a', 'b'"),
      after: `export const m = pgEnum('n', ['a', 'b']); ${table('a: m()')}`,
      renames: ['m=n'],
      expect: 'right',
    },
    {
      name: 'rename an enum and a value',
      before: used("'a', 'b'"),
      after: `export const m = pgEnum('n', ['a', 'c']); ${table('a: m()')}`,
      renames: ['m=n', 'm.b=n.c'],
      expect: 'right',
    },
    {
      name: 'move an enum to another schema',
      before: `export const s = pgSchema('s'); ${used("'a', 'b'")}`,
      after: `export const s = pgSchema('s'); export const m = s.enum('m', ['a', 'b']); ${table('a: m()')}`,
      renames: ['m=s.m'],
      expect: 'right',
    },
    {
      name: 'an enum in a schema of its own',
      before: "export const s = pgSchema('s')",
      after: `export const s = pgSchema('s'); export const m = s.enum('m', ['a', 'b']); ${table("a: m().default('a')")}`,
      expect: 'right',
    },
    {
      name: 'rename a column of an enum that is used in two tables',
      before: `${used("'a', 'b'")}; export const u = pgTable('u', { b: m() })`,
      after: `${used("'a', 'b', 'c'")}; export const u = pgTable('u', { c: m() })`,
      renames: ['u.b=u.c'],
      expect: 'right',
    },
  ],
}
