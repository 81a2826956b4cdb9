import { expect, test } from 'vitest'
import { serverUrl } from './server-url.ts'

const server = { host: '127.0.0.1', port: 5432, user: 'drover', password: 'p' }

test('names the database postgres unless told another', () => {
  expect(serverUrl(server)).toBe('postgres://drover:p@127.0.0.1:5432/postgres')
  expect(serverUrl(server, 'main')).toBe('postgres://drover:p@127.0.0.1:5432/main')
})

test('percent-encodes every part, so that it reads back as it was', () => {
  const odd = { ...server, user: 'a:b@c', password: 'p/#?&%ü @' }

  const url = new URL(serverUrl(odd, 'my db/ü?'))

  expect(decodeURIComponent(url.username)).toBe(odd.user)
  expect(decodeURIComponent(url.password)).toBe(odd.password)
  expect(decodeURIComponent(url.pathname)).toBe('/my db/ü?')
  expect(url.host).toBe('127.0.0.1:5432')
})

test('puts an IPv6 address in brackets', () => {
  expect(serverUrl({ ...server, host: '::1' })).toBe('postgres://drover:p@[::1]:5432/postgres')
})
