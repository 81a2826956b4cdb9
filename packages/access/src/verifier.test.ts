import { expect, test } from 'vitest'

import { isVerifierOf, makeVerifier } from './verifier.ts'

const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')

test('the keys are those of the example in RFC 7677', () => {
  // Its client proves "pencil" with this salt in 4096 rounds; the server's signature comes from this server key.
  expect(makeVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})

test('a verifier is that of its password alone, however it was typed', () => {
  const verifier = makeVerifier('caf\u00e9 :@"')

  expect(isVerifierOf(verifier, 'cafe\u0301 :@"')).toBe(true)
  expect(isVerifierOf(verifier, 'cafe :@"')).toBe(false)
  expect(isVerifierOf(makeVerifier('a', salt, 10), 'a')).toBe(true)
})

test('two verifiers of one password differ', () => {
  expect(makeVerifier('a')).not.toBe(makeVerifier('a'))
})

test.each(['', 'md5e8a48653851e28c69d0506508fb27fc5', 'SCRAM-SHA-256$4096:W22Z', 'pencil'])(
  'what is no SCRAM verifier is that of no password: %s',
  (text) => {
    expect(isVerifierOf(text, 'pencil')).toBe(false)
  },
)
