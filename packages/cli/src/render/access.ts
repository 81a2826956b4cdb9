import { type Check, checks, type Proof } from '@drover/access'
import type { Problem } from '@drover/history'

import type { Style } from './style.ts'
import { columns } from './text.ts'

/** What the roles can do: a table for each database, what is expected beside what was found. */
export function accessLines(proofs: readonly Proof[], style: Style): readonly string[] {
  const databases = [...Map.groupBy(proofs, (proof) => proof.database)]
  const wrong = proofs.flatMap(({ results }) => results).filter(({ expected, found }) => expected !== found).length
  const tried = proofs.reduce((sum, { results }) => sum + results.length, 0)
  const isTakenOn = proofs.some(({ how }) => how === 'set role')
  return [
    ...databases.flatMap(([database, ofDatabase]) => [
      style.strong(database),
      ...columns([['role', ...checks], ...ofDatabase.map(row)]).map(
        (line, at) => `  ${at === 0 ? style.dim(line) : paint(ofDatabase[at - 1]!, line, style)}`,
      ),
      '',
    ]),
    'each cell: expected=found; where they differ, expected!=found; - what was not tried',
    ...(isTakenOn ? [`${takenOn}: not logged in, but taken on by an administrator with set role`] : []),
    wrong === 0
      ? style.good(`${tried} of ${tried} as expected`)
      : style.bad(`${tried - wrong} of ${tried} as expected`),
  ]
}

/** Follows the name of a role that did not log in itself. */
const takenOn = '*'

function row({ subject, how, results }: Proof): readonly string[] {
  const cells = checks.map((check) => {
    const result = results.find((one) => one.check === check)
    if (!result) return '-'
    return `${yesNo(result.expected)}${result.expected === result.found ? '=' : '!='}${yesNo(result.found)}`
  })
  return [`${subject.role}${how === 'set role' ? takenOn : ''}`, ...cells]
}

function paint({ how, results }: Proof, line: string, style: Style): string {
  if (results.some(({ expected, found }) => expected !== found)) return style.bad(line)
  return how === 'not tried' ? style.warn(line) : line
}

/** The same as data. */
export function accessJson(proofs: readonly Proof[]): readonly Readonly<Record<string, unknown>>[] {
  return [...Map.groupBy(proofs, (proof) => proof.database)].map(([name, ofDatabase]) => ({
    name,
    roles: ofDatabase.map(({ subject, how, results }) => ({
      role: subject.role,
      kind: subject.kind,
      of: subject.of,
      how,
      checks: results,
    })),
  }))
}

/** Each difference as a problem, and each role that could not be tried: what is not proved is not safe. */
export function accessProblems(proofs: readonly Proof[]): readonly Problem[] {
  return proofs.flatMap(({ database, subject, reason, results }): readonly Problem[] => {
    if (reason !== undefined) {
      return [
        {
          code: 'ACCESS_UNPROVED',
          database,
          message: `what ${subject.role} can do is not proved: ${reason}`,
          hint: 'set the password of the role, or DROVER_ADMIN_URL; see docs/guides/access.md',
        },
      ]
    }
    return results
      .filter(({ expected, found }) => expected !== found)
      .map(({ check, expected, where }) => ({
        code: 'ACCESS_DIFFERS',
        database,
        message: `${subject.role} (${subject.kind} of ${subject.of}) ${expected ? 'cannot' : 'can'} ${words[check]}${whereText(where)}`,
        hint: hintFor(check, expected, database),
      }))
  })
}

function hintFor(check: Check, expected: boolean, database: string): string {
  if (expected) return `pnpm migrate init -d ${database} makes the roles and grants that are missing`
  return check === 'connect' || check === 'drover'
    ? `pnpm migrate init -d ${database} takes it back, unless the role has it by being a member of another`
    : 'revoke what was granted by hand, be it membership in another role'
}

const words = {
  connect: 'connect',
  select: 'read tables',
  insert: 'insert into tables',
  update: 'update tables',
  delete: 'delete from tables',
  truncate: 'truncate tables',
  ddl: 'use DDL',
  drover: "use Drover's tables",
} as const

function whereText(where: readonly string[]): string {
  const known = where.filter((place) => place !== 'connect')
  if (known.length === 0) return ''
  const [shown, rest] = [known.slice(0, 5), known.length - 5]
  return `: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
