import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'node_modules', '.cache', 'drover-bench', 'drover')

/** Where this repository's packages are, once they are installed as published ones. */
export const modulesOfDrover = join(folder, 'node_modules')

/** The program of those. */
export const published = join(modulesOfDrover, '@drover', 'cli', 'dist', 'main.js')

/** Installs this repository's packages as they would be published. Done anew each time: the sources may have changed. */
export async function installDrover(onProgress: (line: string) => void): Promise<void> {
  onProgress('installing drover')
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'install-published.ts'), folder])
}
