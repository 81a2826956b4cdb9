import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DroverError, type Problem } from '@drover/history'

import type { Kit } from '../kit/kit.ts'
import type { ConvertSnapshots } from './foreign-history.ts'

/** Has drizzle-kit convert snapshots. @param shown the folder that they come from, as messages name it */
export function convertWith(kit: Kit, shown: string): ConvertSnapshots {
  return async (snapshots) => {
    if (snapshots.length === 0) return []
    const home = await realpath(await mkdtemp(join(tmpdir(), 'drover-adopt-')))
    try {
      const folders = snapshots.map(({ name }) => join(home, name))
      for (const [index, { text }] of snapshots.entries()) {
        await mkdir(folders[index]!)
        await writeFile(join(folders[index]!, 'snapshot.json'), text)
      }
      return await kit.convertSnapshots(folders.map((folder) => ({ folder })))
    } catch (error) {
      throw error instanceof DroverError ? namingFolder(error, home, shown) : error
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  }
}

/** The copies are nobody's business. */
function namingFolder(error: DroverError, home: string, shown: string): DroverError {
  const rename = ({ code, message, hint }: Problem): Problem => ({
    code,
    message: message.replaceAll(`${home}/`, `${shown}: `),
    ...(hint !== undefined && { hint }),
  })
  const [first, ...rest] = error.problems
  return new DroverError([rename(first), ...rest.map(rename)], { cause: error })
}
