import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The generated passwords of the roles of one development server. */
export interface Secrets {
  /** By role; those that are not known are missing. */
  readonly passwords: ReadonlyMap<string, string>
}

/**
 * Reads the passwords that were generated for a server.
 * @param server what tells it from the one that had its place before, such as its administrator's password; only a digest is kept
 */
export async function readSecrets(file: string, server: string): Promise<Secrets> {
  const text = await readIfThere(file)
  const known = text === undefined ? undefined : parse(text)
  return { passwords: new Map(known?.server === digest(server) ? Object.entries(known.passwords) : []) }
}

/** Writes them, for nobody but the user who runs this. */
export async function writeSecrets(file: string, server: string, { passwords }: Secrets): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const text = JSON.stringify({ server: digest(server), passwords: Object.fromEntries(passwords) }, null, 2)
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${text}\n`, { mode: 0o600 })
  // The mode of a file that was there already stays.
  await chmod(draft, 0o600)
  await rename(draft, file)
}

/** A password that nobody has to type. */
export function generatePassword(): string {
  return randomBytes(24).toString('base64url')
}

function digest(server: string): string {
  return createHash('sha256').update(server).digest('hex')
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A file that is no longer what was written counts as none: the passwords are made anew. */
function parse(
  text: string,
): { readonly server: unknown; readonly passwords: Readonly<Record<string, string>> } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('server' in value) || !('passwords' in value)) return undefined
    const { server, passwords } = value
    if (typeof passwords !== 'object' || passwords === null) return undefined
    const entries = Object.entries(passwords).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return { server, passwords: Object.fromEntries(entries) }
  } catch {
    return undefined
  }
}
