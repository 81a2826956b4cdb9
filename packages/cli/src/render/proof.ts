import type { Proof } from '@drover/drizzle'
import { type Direction, type Problem, type Revision, scriptFile } from '@drover/history'

/** What is known of a revision's SQL, in a line. */
export function describeProof(proof: Proof): string {
  switch (proof.kind) {
    case 'none':
      return 'not proved, as asked: read its SQL with care'
    case 'unproved':
      return `not proved: ${proof.side === 'up' ? 'it refuses' : 'its way down refuses'} to run until it is edited`
    case 'proved': {
      const corrected = proof.corrected.map((side) => (side === 'up' ? 'migration.sql' : 'down.sql'))
      const otherwise =
        corrected.length > 0 ? `; ${corrected.join(' and ')} not as drizzle-kit writes it, which was wrong` : ''
      return `proved: up, down and up again on a shadow with rows${otherwise}`
    }
  }
}

/** What is at fault with a revision that could not be proved. */
export function notProved(database: string, revision: Revision, side: Direction, reason: string): Problem {
  const file = scriptFile(revision, side)
  return {
    code: 'NOT_PROVED',
    database,
    revision: revision.id,
    file,
    message: `${file} could not be proved:\n${reason}`,
    hint: `correct ${file} and remove the line that marks it, then: pnpm migrate upgrade -d <database>`,
  }
}
