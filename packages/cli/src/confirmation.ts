import type { Problem } from '@drover/history'
import type { Database } from '@drover/orchestrator'

import type { Session } from './session.ts'

/** Something that is not done without being agreed to. */
export interface Confirmation {
  /** What will be done, shown before anything else. */
  readonly lines: readonly string[]
  readonly question: string
  /** What is to be confirmed, as messages call it: `the downgrade`. */
  readonly what: string
  /** The databases that it changes. */
  readonly databases: readonly Database[]
  /** Whether `--yes` was given. */
  readonly yes: boolean | undefined
}

/**
 * Shows what will be done and, on a terminal, asks. Where nobody can be asked a program has asked for it, and only
 * protected databases need `--yes`.
 * @returns what keeps it from being done, if anything does
 */
export async function findObjection(session: Session, confirmation: Confirmation): Promise<Problem | undefined> {
  const { lines, question, what, databases, yes } = confirmation
  // Nobody can agree to what --quiet has kept from them.
  if (session.io.confirm && !session.isLogged && !yes)
    session.io.stderr.write(lines.map((line) => `${line}\n`).join(''))
  else for (const line of lines) session.progress(line)
  if (yes) return undefined
  if (session.io.confirm && session.isLogged) {
    return {
      code: 'NOT_CONFIRMED',
      message: 'nobody can be asked with --log json: nothing was changed',
      hint: `confirm ${what} with --yes`,
    }
  }
  if (session.io.confirm) {
    const agreed = await session.io.confirm(question)
    return agreed
      ? undefined
      : {
          code: 'NOT_CONFIRMED',
          message: 'not confirmed: nothing was changed',
          hint: 'answer y, or confirm with --yes',
        }
  }
  const isProtected = databases.find((database) => database.config.protected)
  if (!isProtected) return undefined
  return {
    code: 'NOT_CONFIRMED',
    database: isProtected.name,
    message: 'the database is protected: nothing was changed',
    hint: `confirm ${what} with --yes`,
  }
}
