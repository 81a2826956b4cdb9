import { DroverError } from '@drover/history'

import type { CliIo } from './io.ts'

/**
 * Whether a variable of the environment is set to 1, or to a word for it.
 * @param instead what to do who did not mean 0, behind "set <name>=1 "
 * @throws {DroverError} `CONFIG_INVALID` when it is neither that nor 0
 */
export function readSwitch(name: string, env: CliIo['env'], instead: string): boolean {
  const text = env[name]?.trim().toLowerCase() ?? ''
  if (['', '0', 'false', 'no'].includes(text)) return false
  if (['1', 'true', 'yes'].includes(text)) return true
  throw new DroverError({
    code: 'CONFIG_INVALID',
    message: `${name} is neither 1 nor 0`,
    hint: `set ${name}=1 ${instead}, or unset it`,
  })
}
