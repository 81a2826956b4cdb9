import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

import { saslprep } from '@drover/engine'

const iterations = 4096

/**
 * What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803). Sent in place of the password, it keeps that out of the
 * server's logs and statistics.
 * @param salt default: random
 */
export function makeVerifier(password: string, salt: Buffer = randomBytes(16), rounds: number = iterations): string {
  const salted = pbkdf2Sync(saslprep(password), salt, rounds, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64')
  const serverKey = hmac(salted, 'Server Key').toString('base64')
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}

/** Whether a verifier is that of a password. One of another kind, such as MD5, is not. */
export function isVerifierOf(verifier: string, password: string): boolean {
  const parts = /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/=]+)\$/.exec(verifier)
  if (!parts) return false
  const made = Buffer.from(makeVerifier(password, Buffer.from(parts[2]!, 'base64'), Number(parts[1])))
  const known = Buffer.from(verifier)
  return made.length === known.length && timingSafeEqual(made, known)
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
