/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * What programs that are not Drover's may see of its environment: where things are, and how people write. Everything else
 * may be a secret of another database. Pure.
 */
export function withoutSecrets(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (variable): variable is [string, string] => variable[1] !== undefined && isHarmless(variable[0]),
    ),
  )
}

function isHarmless(name: string): boolean {
  return harmless.has(name) || name.startsWith('LC_')
}

/** NODE_OPTIONS is not among them: it can name a file of secrets, or have other code loaded first. */
const harmless: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  // Files of certificates, with which servers are checked.
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
])
