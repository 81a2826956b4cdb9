import type { ConnectionUrl } from './connection-url.ts'

/** Text of somebody else's without the secrets of a URL, however they are written. Pure. */
export function maskSecrets(text: string, url: Pick<ConnectionUrl, 'password' | 'tlsFiles'>): string {
  const secrets = [url.password, ...(url.tlsFiles.sslpassword ? [url.tlsFiles.sslpassword] : [])]
    .map((secret) => secret.reveal())
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .filter((secret) => secret !== '')
    // One that contains another goes first, or something of it would be left.
    .toSorted((one, other) => other.length - one.length)
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
}
