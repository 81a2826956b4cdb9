import { inspect } from 'node:util'

import { DroverError } from '@drover/history'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ConnectionUrl, type TlsFiles } from './connection-url.ts'
import { Secret } from './secret.ts'

const secret = 'Sesame-7'

describe('ConnectionUrl.parse', () => {
  it('takes a URL apart', () => {
    const url = ConnectionUrl.parse(`postgres://anna:${secret}@db.example.org:5433/shop`, 'DATABASE_URL')

    expect(url).toMatchObject({
      host: 'db.example.org',
      port: 5433,
      database: 'shop',
      user: 'anna',
      sslMode: 'prefer',
      parameters: {},
      source: 'DATABASE_URL',
    })
    expect(url.revealPassword()).toBe(secret)
  })

  it.each(['postgres', 'postgresql', 'postgresql+asyncpg', 'postgresql+psycopg2'])('understands %s://', (scheme) => {
    expect(ConnectionUrl.parse(`${scheme}://anna@host/shop`, 'URL').place).toBe('host:5432/shop')
  })

  it('decodes user, password and database', () => {
    const url = ConnectionUrl.parse('postgres://an%40na:p%2Fw%3A%25%20%C3%A4@host/my%20sh%C3%B6p', 'URL')

    expect([url.user, url.revealPassword(), url.database]).toEqual(['an@na', 'p/w:% ä', 'my shöp'])
  })

  it('takes a password with an "@" that should have been encoded', () => {
    expect(ConnectionUrl.parse('postgres://anna:p@ss@host/shop', 'URL').revealPassword()).toBe('p@ss')
  })

  it('reads an IPv6 address, and writes it back in brackets', () => {
    const url = ConnectionUrl.parse('postgres://anna@[::1]:5433/shop', 'URL')

    expect([url.host, url.place]).toEqual(['::1', '[::1]:5433/shop'])
  })

  it('does without a password, and ignores blanks around', () => {
    expect(ConnectionUrl.parse('  postgres://anna@host/shop\n', 'URL').revealPassword()).toBe('')
  })

  it.each(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const)('knows sslmode=%s', (mode) => {
    expect(ConnectionUrl.parse(`postgres://anna@host/shop?sslmode=${mode}`, 'URL').sslMode).toBe(mode)
  })

  it('knows the files of TLS, and keeps the password of the key a secret', () => {
    const files = `sslrootcert=/etc/root.crt&sslcert=own.crt&sslkey=own%20key&sslpassword=${secret}`
    const url = ConnectionUrl.parse(`postgres://anna@host/shop?sslmode=verify-full&${files}`, 'URL')

    expect(url.tlsFiles).toEqual({
      sslrootcert: '/etc/root.crt',
      sslcert: 'own.crt',
      sslkey: 'own key',
      sslpassword: expect.any(Secret),
    })
    expect(url.tlsFiles.sslpassword?.reveal()).toBe(secret)
    expect(everyPrintOf(url)).not.toContain(secret)
  })

  it('verifies the whole certificate where the authorities of the system are trusted', () => {
    expect(ConnectionUrl.parse('postgres://anna@host/shop?sslrootcert=system', 'URL').sslMode).toBe('verify-full')
  })

  it('passes on start-up parameters, and ignores a channel binding that is not insisted on', () => {
    const text =
      'postgres://anna@host/shop?application_name=till%201&options=-c%20work_mem%3D1MB&channel_binding=prefer'

    expect(ConnectionUrl.parse(text, 'URL').parameters).toEqual({
      application_name: 'till 1',
      options: '-c work_mem=1MB',
    })
  })

  it.each<[text: string, message: string]>([
    ['', 'URL does not start with postgres://'],
    [`mysql://anna:${secret}@host/shop`, 'URL does not start with postgres://'],
    [`anna:${secret}@host/shop`, 'URL does not start with postgres://'],
    [`postgres://anna:${secret}@`, 'URL is not a valid URL'],
    [`postgres://anna:${secret}#x@host/shop`, 'URL is not a valid URL'],
    [`postgres://anna:12#${secret}@host/shop`, 'URL has a "#" that is not percent-encoded'],
    [`postgres://anna@host/shop#${secret}`, 'URL has a "#" that is not percent-encoded'],
    [`postgres://anna:${secret}/x@host/shop`, 'URL is not a valid URL'],
    [`postgres://anna:${secret}@host:99999/shop`, 'URL is not a valid URL'],
    [`postgres://anna:${secret}@one:1,two:2/shop`, 'URL is not a valid URL'],
    [`postgres://anna:${secret}@host:80/shop`, 'URL has port 80'],
    [`postgres://anna:${secret}@host:0080/shop`, 'URL has port 80'],
    [`postgres://anna:${secret}@host`, 'URL names no database'],
    [`postgres://anna:${secret}@host/`, 'URL names no database'],
    ['postgres://host/shop', 'URL names no user'],
    [`postgres://anna:${secret}%@host/shop`, 'URL has a password with a "%" that is not an escape'],
    [`postgres://an%na:${secret}@host/shop`, 'URL has a user with a "%" that is not an escape'],
    [`postgres://anna:${secret}@host/sh%op`, 'URL has a database name with a "%" that is not an escape'],
    [`postgres://anna:${secret}@host/shop?sslmode=allow`, 'URL has sslmode=allow'],
    [`postgres://anna:${secret}\n@host/shop`, 'URL has a line break or a tab in it'],
    [`postgres://anna:${secret}@host/shop?sslcrl=x`, 'URL has the parameter "sslcrl"'],
    [
      `postgres://anna:${secret}@host/shop?sslrootcert=x`,
      'URL has sslrootcert, and sslmode=prefer does not insist on TLS',
    ],
    [
      `postgres://anna:${secret}@host/shop?sslmode=disable&sslkey=x&sslcert=y`,
      'URL has sslkey, and sslmode=disable does not insist on TLS',
    ],
    [
      `postgres://anna:${secret}@host/shop?sslmode=verify-ca&sslrootcert=system`,
      'URL has sslrootcert=system with sslmode=verify-ca: anybody can have a certificate of such an authority',
    ],
    [`postgres://anna:${secret}@host/shop?sslmode=require&sslcert=x`, 'URL has only one of sslcert and sslkey'],
    [`postgres://anna:${secret}@host/shop?sslmode=require&sslkey=x`, 'URL has only one of sslcert and sslkey'],
    [`postgres://anna@host/shop?sslmode=require&sslpassword=${secret}`, 'URL has sslpassword without sslkey'],
    [`postgres://anna@host/shop?password=${secret}`, 'URL has the parameter "password"'],
    [`postgres://anna:x@1/2?${secret}@host/shop`, 'URL has a parameter that is none of PostgreSQL'],
    [
      `postgres://anna:${secret}@host/shop?channel_binding=require`,
      'URL has channel_binding=require, which the driver cannot do, and which is not dropped silently',
    ],
  ])('refuses %j and does not repeat it', (text, message) => {
    const error = errorOf(() => ConnectionUrl.parse(text, 'URL'))

    expect(error).toMatchObject({ code: 'URL_INVALID', message })
    expect(error.problems[0].hint).toMatch(/\w/)
    expect(everyPrintOf(error)).not.toContain(secret)
  })
})

describe('a ConnectionUrl', () => {
  const url = ConnectionUrl.parse(`postgres://anna:${secret}@host:5433/shop?sslmode=require`, 'URL')

  it('never shows its password', () => {
    expect(everyPrintOf(url)).not.toContain(secret)
    expect(
      everyPrintOf({ deep: { list: [url] }, map: new Map([[url, url]]), error: new Error('x', { cause: url }) }),
    ).not.toContain(secret)
  })

  it('shows who logs in where', () => {
    expect([String(url), JSON.stringify(url), inspect(url)]).toEqual([
      'postgres://anna@host:5433/shop',
      '"postgres://anna@host:5433/shop"',
      'postgres://anna@host:5433/shop',
    ])
  })

  it('keeps everything but the database when it is pointed at another', () => {
    const other = url.withDatabase('postgres')

    expect(other).toMatchObject({
      host: 'host',
      port: 5433,
      database: 'postgres',
      user: 'anna',
      sslMode: 'require',
      source: 'URL',
    })
    expect(other.revealPassword()).toBe(secret)
  })

  it('keeps everything but the login when it is given another', () => {
    const other = url.withLogin('bert', 'sesame')

    expect(other).toMatchObject({ host: 'host', port: 5433, database: 'shop', user: 'bert', sslMode: 'require' })
    expect(other.revealPassword()).toBe('sesame')
  })

  it('quotes the schemas of a search_path, beside what the URL sets already', () => {
    const named = ConnectionUrl.parse('postgres://anna:x@host/shop?application_name=till&search_path=app', 'URL')

    const other = named.withSearchPath(['Tenant "1"', 'public'])

    expect(other).toMatchObject({ host: 'host', database: 'shop', user: 'anna', source: 'URL' })
    expect(other.parameters).toEqual({ application_name: 'till', search_path: '"Tenant ""1""", "public"' })
    expect(other.revealPassword()).toBe('x')
  })
})

describe('revealUrl', () => {
  const text = fc
    .string({ minLength: 1, unit: 'binary' })
    .filter((value) => value.isWellFormed() && !value.includes('\0'))
  const special = fc.string({
    minLength: 1,
    unit: fc.constantFrom(...Array.from('aZ0@:/?#% &=+;\'"\\[]{}^|<>~*$äß😀e\u0301')),
  })
  const any = fc.oneof(special, text)
  const tls: fc.Arbitrary<{ sslMode: 'require' | 'verify-full'; tlsFiles: TlsFiles }> = fc.record({
    sslMode: fc.constantFrom('require', 'verify-full'),
    tlsFiles: fc.oneof(
      fc.constant({}),
      fc.record({ sslrootcert: any.filter((path) => path !== 'system') }),
      fc.record({ sslcert: any, sslkey: any, sslpassword: any.map((value) => new Secret(value)) }),
    ),
  })
  const parts = fc
    .record({
      host: fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom('localhost', 'my_db', '::1', 'fe80::1')),
      port: fc.integer({ min: 1, max: 65_535 }).filter((port) => port !== 80),
      user: any,
      password: fc.oneof(any, fc.constant('')),
      database: any,
      parameters: fc.record({ application_name: any, options: any }, { requiredKeys: [] }),
      tls: fc.oneof(tls, fc.constantFrom({ sslMode: 'disable' as const }, { sslMode: 'prefer' as const })),
    })
    .map(({ tls: chosen, ...rest }) => ({ ...rest, ...chosen, source: 'URL' }))

  it('is a URL that parses to the same parts', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const url = ConnectionUrl.of(given)
        const again = ConnectionUrl.parse(url.revealUrl(), 'URL')

        expect(again).toMatchObject({ ...given, password: expect.any(Secret), tlsFiles: expect.anything() })
        expect(again.revealPassword()).toBe(given.password)
        expect(revealFiles(again.tlsFiles)).toEqual(revealFiles(url.tlsFiles))
        expect(again.revealUrl()).toBe(url.revealUrl())
      }),
      { numRuns: 1000 },
    )
  })
})

function revealFiles({ sslpassword, ...paths }: TlsFiles): object {
  return { ...paths, sslpassword: sslpassword?.reveal() }
}

function errorOf(act: () => unknown): DroverError {
  try {
    act()
  } catch (error) {
    if (error instanceof DroverError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function everyPrintOf(value: object): string {
  const entries: readonly unknown[] = Object.values(value)
  return [
    (value as { toString(): string }).toString(),
    JSON.stringify(value),
    inspect(value),
    inspect(value, { showHidden: true, depth: null, getters: true }),
    inspect(value, { showHidden: true, depth: null, customInspect: false }),
    ...entries.map(String),
    ...(value instanceof Error ? [value.stack, value.message, inspect(value.cause)] : []),
  ].join('\n')
}
