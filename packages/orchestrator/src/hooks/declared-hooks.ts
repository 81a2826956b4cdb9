import { existsSync } from 'node:fs'
import { posix } from 'node:path'

import type { HooksConfig } from '@drover/config'
import type { Hook, Moment } from '@drover/engine'
import type { Problem } from '@drover/history'

import type { Database } from '../workspace/discover.ts'

/** The hooks of a database, in the order in which they run; their paths begin at the root. */
export function hooksOf({ folder, config }: Pick<Database, 'folder' | 'config'>): readonly Hook[] {
  return config.hooks ? resolveHooks(folder, config.hooks) : []
}

/** Hooks as a file declares them. @param folder of that file, from the root */
export function resolveHooks(folder: string, hooks: HooksConfig): readonly Hook[] {
  const moments: readonly Moment[] = ['before', 'after', 'onFailure']
  return moments.flatMap((moment) => hooks[moment].map((file) => ({ moment, file: posix.join(folder, file) })))
}

/** What is wrong with hooks whose files are not there. @param declaredIn the file that names them */
export function findMissingHooks(root: string, declaredIn: string, hooks: readonly Hook[]): readonly Problem[] {
  return hooks
    .filter(({ file }) => !existsSync(posix.join(root, file)))
    .map(({ moment, file }) => ({
      code: 'CONFIG_INVALID',
      file: declaredIn,
      message: `${declaredIn}: "hooks.${moment}" names ${file}, and there is no such file`,
      hint: `write ${file}, or correct "hooks" in ${declaredIn}`,
    }))
}
