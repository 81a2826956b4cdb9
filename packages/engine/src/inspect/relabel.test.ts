import { describe, expect, it } from 'vitest'

import { quoteForeign, relabel } from './relabel.ts'

describe('relabel', () => {
  it.each<[what: string, full: string, bare: string, expected: string]>([
    ['a name', 'REFERENCES a.items(id)', 'REFERENCES items(id)', 'REFERENCES public.items(id)'],
    ['an alias beside a name', 'a.id FROM a.items a', 'a.id FROM items a', 'a.id FROM public.items a'],
    ['a table of the same name', 'a.a.b FROM a.a', 'a.b FROM a', 'public.a.b FROM public.a'],
    [
      'a text beside a name',
      `f('a.x'::text, 'a.x'::regclass)`,
      `f('a.x'::text, 'x'::regclass)`,
      `f('a.x'::text, 'public.x'::regclass)`,
    ],
    ['an operator', '(x OPERATOR(a.===) y)', '(x === y)', '(x OPERATOR(public.===) y)'],
    ['the end of a longer name', 'ba.x + a.x', 'ba.x + x', 'ba.x + public.x'],
    ['nothing', 'a.id', 'a.id', 'a.id'],
    // Where the server writes more of it differently.
    ['all that looks like it', 'lower(a.x)', 'pg_catalog.lower(x)', 'lower(public.x)'],
  ])('replaces %s', (_, full, bare, expected) => {
    expect(relabel(full, bare, 'a', 'public')).toBe(expected)
  })

  it('knows a name with quotes in a constant', () => {
    expect(relabel(`nextval('"O''Hara".s'::regclass)`, `nextval('s'::regclass)`, `"O'Hara"`, `"D'Arcy"`)).toBe(
      `nextval('"D''Arcy".s'::regclass)`,
    )
  })

  it('is done soon with a long definition in which every name is ambiguous', () => {
    const full = 'a.a.a + '.repeat(300)

    expect(relabel(full, 'a.a + '.repeat(300), 'a', 'b')).toBe('b.a.a + '.repeat(300))
  })
})

describe('quoteForeign', () => {
  it.each<[what: string, definition: string, expected: string]>([
    ['a name', 'REFERENCES public.items(id)', 'REFERENCES "public".items(id)'],
    ['a constant that is a name', `'public.items'::regclass`, `'"public".items'::regclass`],
    ['no text', `'public.items'::text`, `'public.items'::text`],
    ['no longer name', 'apublic.items.x public_.items', 'apublic.items.x public_.items'],
    ['nothing in quotes', '"x public.items"', '"x public.items"'],
    ['nothing of an extension', `public.citext OPERATOR(public.@>)`, `public.citext OPERATOR(public.@>)`],
    ['no body of a function', 'f(public.x)\nAS $$ public.x $$', 'f("public".x)\nAS $$ public.x $$'],
  ])('quotes %s', (_, definition, expected) => {
    expect(quoteForeign(definition, 'public', new Set(['citext', '@>']))).toBe(expected)
  })
})
