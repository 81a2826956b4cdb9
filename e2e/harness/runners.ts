import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import postgres from 'postgres'

// How other runners read their files and send them, as their documentation says; those that are on this machine are run themselves.

export type Runner = 'goose' | 'golang-migrate' | 'flyway' | 'dbmate'

/** One side of a migration as a runner sends it. */
interface SentSide {
  readonly inTransaction: boolean
  /** Each is sent by itself, and may hold several statements. */
  readonly messages: readonly string[]
}

/** A migration as a runner reads it. */
export interface ReadMigration {
  readonly version: string
  readonly up: SentSide
  /** Missing where the runner refuses to go down. */
  readonly down: SentSide | undefined
}

/** The texts of the files in a folder, by name. */
export async function readFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).toSorted()
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)
  return new Map(await Promise.all(texts))
}

/** Reads the migrations in files, by name, in the order in which the runner applies them. */
export function readMigrations(runner: Runner, files: ReadonlyMap<string, string>): readonly ReadMigration[] {
  const found = readers[runner](files)
  return [...found].toSorted((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1))
}

/**
 * Applies migrations, or reverts them, on one connection, and records each by a table without a schema, in the same transaction where
 * there is one: as most runners do.
 */
export async function runMigrations(
  url: string,
  migrations: readonly ReadMigration[],
  direction: 'up' | 'down',
): Promise<void> {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, onnotice: () => {} })
  const send = async (message: string) => void (await sql.unsafe(message).simple())
  try {
    await send('create table if not exists runner_versions (version text primary key)')
    for (const migration of direction === 'up' ? migrations : migrations.toReversed()) {
      const { version } = migration
      const side = migration[direction]
      if (!side) throw new Error(`there is no way back from ${version}`)
      if (side.inTransaction) await send('begin')
      for (const message of side.messages) await send(message)
      await send(
        direction === 'up'
          ? `insert into runner_versions values ('${version}')`
          : `delete from runner_versions where version = '${version}'`,
      )
      if (side.inTransaction) await send('commit')
    }
    await send('drop table public.runner_versions')
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** The program dbmate, which its package has for most machines. `undefined` on the others. */
export const dbmateProgram = findDbmate()

function findDbmate(): string | undefined {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('dbmate/package.json'))
  try {
    const manifest = resolve(`@dbmate/${process.platform}-${process.arch}/package.json`)
    const program = join(manifest, '..', 'bin', process.platform === 'win32' ? 'dbmate.exe' : 'dbmate')
    return spawnSync(program, ['--version']).status === 0 ? program : undefined
  } catch {
    return undefined
  }
}

const readers: Readonly<Record<Runner, (files: ReadonlyMap<string, string>) => Iterable<ReadMigration>>> = {
  goose: readGoose,
  'golang-migrate': readGolangMigrate,
  flyway: readFlyway,
  dbmate: readDbmate,
}

function* readGolangMigrate(files: ReadonlyMap<string, string>): Generator<ReadMigration> {
  for (const [name, text] of files) {
    const match = /^(\d+)_(.*)\.up\.sql$/.exec(name)
    if (!match) continue
    // A missing way back is one that does nothing. A file is one message, and nothing begins a transaction.
    const down = files.get(name.replace('.up.sql', '.down.sql'))
    yield { version: match[1]!, up: oneMessage(text), down: oneMessage(down) }
  }
}

function oneMessage(text: string | undefined): SentSide {
  return { inTransaction: false, messages: text === undefined ? [] : [text] }
}

function* readDbmate(files: ReadonlyMap<string, string>): Generator<ReadMigration> {
  for (const [name, text] of files) {
    const up = /^--\s*migrate:up(?:\s*$|\s+\S+)/m.exec(text)
    const down = /^--\s*migrate:down(?:\s*$|\s+\S+)/m.exec(text)
    if (!up || !down || up.index > down.index) throw new Error(`${name} has no two blocks`)
    const ahead = text.slice(0, up.index).split('\n')
    if (ahead.some((line) => !/^\s*(?:--|$)/.test(line))) throw new Error(`${name} has statements before its blocks`)
    yield {
      version: /^\d+/.exec(name)![0],
      up: block(text.slice(up.index, down.index)),
      down: block(text.slice(down.index)),
    }
  }
}

/** Its first line has the options. */
function block(text: string): SentSide {
  return { inTransaction: !/^.*\btransaction:false\b/.test(text), messages: [text] }
}

function* readGoose(files: ReadonlyMap<string, string>): Generator<ReadMigration> {
  for (const [name, text] of files) {
    const sides = { up: [] as string[], down: [] as string[] }
    let inTransaction = true
    let side: 'up' | 'down' | undefined
    let isTogether = false
    let fillsIn = false
    let open = ''
    const finish = () => {
      sides[side!].push(open.trim())
      open = ''
    }
    for (const line of text.split(/\r?\n/)) {
      const annotation = /^--\s*\+goose\s+(.*?)\s*$/i.exec(line)?.[1]?.toLowerCase()
      if (annotation !== undefined) {
        if (annotation === 'up' || annotation === 'down') {
          if (open.trim() !== '' || isTogether) throw new Error(`${name}: a statement does not end`)
          if ((annotation === 'up') !== (side === undefined)) throw new Error(`${name}: ${annotation} is out of place`)
          side = annotation
        } else if (annotation === 'no transaction') inTransaction = false
        else if (annotation === 'envsub on') fillsIn = true
        else if (annotation === 'envsub off') fillsIn = false
        else if (annotation === 'statementbegin' && !isTogether) isTogether = true
        else if (annotation === 'statementend' && isTogether) {
          isTogether = false
          finish()
        } else throw new Error(`${name}: ${annotation} is out of place`)
        continue
      }
      if (open === '' && (line.trimStart().startsWith('--') || line === '')) continue
      if (side === undefined) throw new Error(`${name}: a statement stands before all annotations`)
      open += `${fillsIn ? line.replaceAll('${SCHEMA}', filledIn) : line}\n`
      if (!isTogether && endsWithSemicolon(line)) finish()
    }
    if (open.trim() !== '' || isTogether) throw new Error(`${name}: a statement does not end: ${open}`)
    yield {
      version: /^\d+/.exec(name)![0],
      up: { inTransaction, messages: sides.up },
      down: { inTransaction, messages: sides.down },
    }
  }
}

/** The schema that is filled in wherever a placeholder stands for one. */
export const filledIn = 'tenant_acme'

/** Words that begin with dashes are taken for a comment, wherever they stand. */
function endsWithSemicolon(line: string): boolean {
  const words = line.split(/\s+/).filter((word) => word !== '')
  const comment = words.findIndex((word) => word.startsWith('--'))
  const last = (comment === -1 ? words : words.slice(0, comment)).at(-1)
  return last?.endsWith(';') === true
}

function* readFlyway(files: ReadonlyMap<string, string>): Generator<ReadMigration> {
  const side = (name: string): SentSide | undefined => {
    const text = files.get(name)
    if (text === undefined) return undefined
    const settings = (files.get(`${name}.conf`) ?? '').split('\n')
    const isOn = (setting: string) => !settings.includes(`${setting}=false`)
    const filled = isOn('placeholderReplacement') ? fillPlaceholders(name, text) : text
    return { inTransaction: isOn('executeInTransaction'), messages: splitAsFlyway(filled) }
  }
  for (const name of files.keys()) {
    const match = /^V(\d+)__(.*)\.sql$/.exec(name)
    if (match) yield { version: match[1]!, up: side(name)!, down: side(`U${name.slice(1)}`) }
  }
}

function fillPlaceholders(name: string, text: string): string {
  const filled = text.replaceAll('${schema}', filledIn)
  if (filled.includes('${')) throw new Error(`${name}: no value is there for a placeholder`)
  return filled
}

/** Its own reader: a backslash never escapes, comments do not nest, and whatever a dollar begins ends at another one. */
function splitAsFlyway(sql: string): readonly string[] {
  const token = /--.*|\/\*[^]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[^$]*\$)[^]*?\1|[\w\u{80}-\u{10ffff}$]+|[^]/gu
  const statements: string[] = []
  let open = ''
  let isEmpty = true
  let parentheses = 0
  let blocks = 0
  let before = ''
  for (const [text] of sql.matchAll(token)) {
    if (text === ';' && parentheses === 0 && blocks === 0) {
      if (!isEmpty) statements.push(open.trim())
      open = ''
      isEmpty = true
      continue
    }
    open += text
    if (/^(?:--|\/\*|\s)/.test(text)) continue
    isEmpty = false
    const word = text.toLowerCase()
    if (text === '(') parentheses += 1
    else if (text === ')') parentheses -= 1
    else if (word === 'atomic' && before === 'begin') blocks += 1
    else if (word === 'case' && blocks > 0) blocks += 1
    else if (word === 'end' && blocks > 0) blocks -= 1
    before = word
  }
  if (!isEmpty) statements.push(open.trim())
  return statements
}
