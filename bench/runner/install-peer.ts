import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Versions by package, exact. */
export type Packages = Readonly<Record<string, string>>

/** Where the packages of a tool are, once they are installed. */
export function modulesOf(name: string, packages: Packages): string {
  return join(folderOf(name, packages), 'node_modules')
}

/**
 * Installs the packages of a tool outside of the workspace, so that its lockfile knows nothing of them. They stay for the
 * next time.
 * @throws {Error} with what npm says when they cannot be installed
 */
export async function installPeer(name: string, packages: Packages, onProgress: (line: string) => void): Promise<void> {
  const folder = folderOf(name, packages)
  if (existsSync(folder)) return
  onProgress(`installing ${name}`)
  // Only what is complete gets its name.
  const unfinished = `${folder}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    writeFileSync(join(unfinished, 'package.json'), JSON.stringify({ private: true, dependencies: packages }))
    await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: unfinished,
    })
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

function folderOf(name: string, packages: Packages): string {
  const version = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 8)
  return join(dirname(import.meta.dirname), '..', 'node_modules', '.cache', 'drover-bench', `${name}-${version}`)
}
