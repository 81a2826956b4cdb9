import { DroverError } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import type { CommonOptions, Session } from '../session.ts'

/** What `adopt` understands. */
export interface AdoptOptions extends CommonOptions {
  readonly table?: string
  readonly acceptEdited?: boolean
  readonly baseline?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** In milliseconds. */
  readonly waitLock?: number
}

/** Takes over a folder of another tool, or, without one, what that tool's table says has been applied. */
export async function adopt(session: Session, options: AdoptOptions, folder?: string): Promise<ExitCode> {
  if (folder === undefined) {
    if (options.baseline) return (await import('./adopt-baseline.ts')).adoptBaseline(session, options)
    return (await import('./adopt-applied.ts')).adoptApplied(session, options)
  }
  const foreign = [
    ...(options.table === undefined ? [] : ['--table']),
    ...(options.acceptEdited ? ['--accept-edited'] : []),
    ...(options.baseline ? ['--baseline'] : []),
  ]
  if (foreign.length > 0) {
    throw new DroverError({
      code: 'USAGE',
      message: `${foreign.join(' and ')} is about a database, and a folder was named`,
      hint: `first the folder: pnpm migrate adopt ${folder}; then each database: pnpm migrate adopt ${foreign.join(' ')}`,
    })
  }
  return (await import('./adopt-folder.ts')).adoptFolder(session, options, folder)
}
