import { join } from 'node:path'

import { prepareFleet, script } from './fleet.ts'
import { measure, type Subject } from './measure.ts'
import { compare, type Report } from './report.ts'
import { installDrover, published } from './runner/install-drover.ts'

/** Wall ratios to the baseline. */
const aims = { 'migrate --version': 2, 'migrate current': 5, 'published --version': 2, 'published current': 5 }

/** How long commands take that have nothing to do, beside an empty Node. */
export async function measureStartUp(rounds: number, onProgress: (line: string) => void): Promise<Report> {
  const path = process.env['PATH']
  await using fleet = await prepareFleet(path)
  await installDrover(onProgress)
  const commands = (name: string, program: string): readonly Subject[] =>
    ['--version', '--help', 'history', 'current', 'upgrade'].map((command) => ({
      name: `${name} ${command}`,
      args: [program, command],
      env: fleet.env,
    }))
  const subjects: readonly Subject[] = [
    emptyNode(path),
    { name: 'driver alone', args: [join(import.meta.dirname, 'driver-alone.ts')], env: fleet.env },
    ...commands('migrate', script),
    ...commands('published', published),
  ]
  const place = { cwd: fleet.root, scratchFile: join(fleet.scratch, 'cpu') }

  // Fills the compile cache, and the caches of the operating system.
  await measure(subjects, { ...place, rounds: 2 })
  return compare(await measure(subjects, { ...place, rounds }), baseline, aims)
}

/** What everything else is compared with. */
export const baseline = 'node -e 0'

/** The subject of that name. */
export function emptyNode(path: string | undefined): Subject {
  return { name: baseline, args: ['-e', '0'], env: { PATH: path ?? '' } }
}
