import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A certificate and its private key, as paths of PEM files. */
export interface ExampleCertificate {
  readonly cert: string
  readonly key: string
}

/** An authority that lives as long as a test. */
export interface ExampleAuthority extends ExampleCertificate, AsyncDisposable {
  /** @param names subject alternative names, such as `DNS:localhost,IP:127.0.0.1` */
  issue(commonName: string, names: string): Promise<ExampleCertificate>
  /** The same key, encrypted. */
  encrypt(key: string, passphrase: string): Promise<string>
}

const run = promisify(execFile)
const common = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2']

/** Makes an authority with openssl. Two of the same name differ in their keys only, as those of an impostor would. */
export async function createExampleAuthority(): Promise<ExampleAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-certificates-'))
  let made = 0
  const files = () => {
    made += 1
    return { cert: join(folder, `${made}.crt`), key: join(folder, `${made}.key`) }
  }
  const own = files()
  await run('openssl', [
    'req',
    '-x509',
    ...common,
    '-subj',
    '/CN=Example authority',
    '-keyout',
    own.key,
    '-out',
    own.cert,
  ])
  return {
    ...own,
    issue: async (commonName, names) => {
      const { cert, key } = files()
      const issuer = ['-CA', own.cert, '-CAkey', own.key]
      const subject = ['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=${names}`]
      const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE']
      await run('openssl', ['req', '-x509', ...common, ...issuer, ...subject, ...leaf, '-keyout', key, '-out', cert])
      return { cert, key }
    },
    encrypt: async (key, passphrase) => {
      const to = files().key
      await run('openssl', ['pkcs8', '-topk8', '-in', key, '-passout', `pass:${passphrase}`, '-out', to])
      return to
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
