import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DroverError } from '@drover/history'
import * as v from 'valibot'

/** A text for the linter. */
export interface Draft {
  readonly sql: string
  /** Whether all of it runs in one transaction that it does not begin itself. */
  readonly inTransaction: boolean
}

/** What the linter says about a text. */
export interface Remark {
  readonly rule: string
  readonly message: string
  /** Offset in the text, in UTF-16 units. */
  readonly at: number
}

/** What squawk calls a text that it cannot read; it says nothing else about it. */
export const unread = 'syntax-error'

/**
 * Has squawk look at texts, all of them in one process, or two.
 * @returns the remarks of each text, in its order
 * @throws {DroverError} `COMMAND_FAILED` when it cannot be run, or answers something else
 */
export async function runSquawk(drafts: readonly Draft[]): Promise<readonly (readonly Remark[])[]> {
  const remarks: Remark[][] = drafts.map(() => [])
  if (drafts.length === 0) return remarks
  const program = findProgram()
  const folder = await mkdtemp(join(tmpdir(), 'drover-lint-'))
  try {
    // A file of its own: it would take one of the workspace, or of any folder above it.
    await writeFile(join(folder, 'squawk.toml'), '')
    for (const inTransaction of [true, false]) {
      const numbers = drafts.flatMap((draft, at) => (draft.inTransaction === inTransaction ? [at] : []))
      if (numbers.length === 0) continue
      await Promise.all(numbers.map((at) => writeFile(join(folder, `${at}.sql`), drafts[at]!.sql)))
      const files = numbers.map((at) => `${at}.sql`)
      const answer = await run(program, [...(inTransaction ? ['--assume-in-transaction'] : []), ...files], folder)
      for (const one of answer) {
        const at = Number.parseInt(one.file, 10)
        const draft = drafts[at]
        if (!draft) throw failure(`names a file that it was not given: ${one.file}`)
        remarks[at]!.push({
          rule: one.rule_name,
          message: one.message,
          at: offsetOf(draft.sql, one.line, one.column),
        })
      }
    }
    return remarks
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The oldest PostgreSQL that Drover is tested on: what is safe there is safe on a newer one. */
const oldestServer = '15.0'

const answerSchema = v.array(
  v.object({
    file: v.string(),
    line: v.number(),
    column: v.number(),
    rule_name: v.string(),
    message: v.string(),
  }),
)

function run(program: string, args: readonly string[], folder: string): Promise<v.InferOutput<typeof answerSchema>> {
  const options = ['--config', 'squawk.toml', '--reporter', 'json', '--pg-version', oldestServer]
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...options, ...args],
      // It needs nothing of the environment, in which there are passwords.
      { cwd: folder, env: {}, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        // 1 is how it ends when it has anything to say.
        if (error && error.code !== 1) return reject(failure(`does not run: ${error.message}`, stderr))
        try {
          resolve(v.parse(answerSchema, JSON.parse(stdout)))
        } catch {
          reject(failure('answers something else than findings', stderr))
        }
      },
    )
  })
}

/** The program itself: the script around it would start a Node of its own. */
function findProgram(): string {
  const require = createRequire(import.meta.url)
  try {
    const door: unknown = require('squawk-cli/js/index.js')
    return v.parse(v.string(), v.parse(v.object({ getBinaryPath: v.function() }), door).getBinaryPath())
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw failure(`is not there: ${why?.replace(/^squawk: /, '')}`)
  }
}

function failure(what: string, said = ''): DroverError {
  const notes = said.trim().split('\n').slice(-10)
  return new DroverError({
    code: 'COMMAND_FAILED',
    message: `squawk, the linter, ${what}`,
    hint: 'lint where there is one for the machine, and optional packages are installed: pnpm install',
    ...(notes.join('') !== '' && { serverNotes: notes }),
  })
}

/** @param column in bytes, from 0, as is the line */
function offsetOf(sql: string, line: number, column: number): number {
  let begin = 0
  for (let left = line; left > 0; left -= 1) {
    const end = sql.indexOf('\n', begin)
    if (end === -1) return sql.length
    begin = end + 1
  }
  const end = sql.indexOf('\n', begin)
  const text = Buffer.from(sql.slice(begin, end === -1 ? sql.length : end))
  return begin + text.subarray(0, column).toString().length
}
