import { DroverError } from '@drover/history'
import type * as boss from 'pg-boss'

/** The version that fleets are tested with: what it keeps in its tables, and how it takes jobs, differs from version to version. */
const wanted = '12.35.0'

/**
 * Loads pg-boss, which is installed by those who use a fleet.
 * @throws {DroverError} `CONFIG_INVALID` where it is not installed
 */
export async function loadBoss(): Promise<typeof boss> {
  try {
    return await import('pg-boss')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new DroverError(
      {
        code: 'CONFIG_INVALID',
        message: 'pg-boss, which keeps the queue of a fleet, is not installed',
        hint: `install it beside Drover: pnpm add pg-boss@${wanted}`,
      },
      { cause },
    )
  }
}
