import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { parseWorkspaceConfig } from '@drover/config/parse'
import type { Hook } from '@drover/engine'
import { DroverError, type Problem, throwProblems } from '@drover/history'

import { findMissingHooks, resolveHooks } from '../hooks/declared-hooks.ts'
import { loadDefaultExport } from './load-module.ts'

const file = 'drover.config.ts'

/**
 * The hooks of a run as a whole, which `drover.config.ts` in the workspace's root may declare.
 * @throws {DroverError} `CONFIG_INVALID` with everything that is wrong in it
 */
export async function loadRunHooks(root: string): Promise<readonly Hook[]> {
  if (!existsSync(join(root, file))) return []
  const loaded = await loadDefaultExport(root, file, invalid)
  if ('problem' in loaded) throw new DroverError(loaded.problem)
  const result = parseWorkspaceConfig(loaded.exported)
  if (!result.ok) {
    throwProblems(result.faults.map(invalid))
    return []
  }
  const hooks = resolveHooks('', result.config.hooks)
  throwProblems(findMissingHooks(root, file, hooks))
  return hooks
}

function invalid(fault: string): Problem {
  const hint = `correct ${file}; a minimal one is: export default defineWorkspace({})`
  return { code: 'CONFIG_INVALID', file, message: `${file}: ${fault}`, hint }
}
