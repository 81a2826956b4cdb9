import { lineAt, splitStatements, type Statement } from '@drover/engine'
import { type Problem, throwProblems } from '@drover/history'
import { hasSqlDetails, loadModule, type Node, parseSync } from 'libpg-query'

import type { ObjectFile } from './object-file.ts'
import { findReferences, type References } from './references.ts'
import { kindOfStatement, type ObjectKind } from './statement-kind.ts'

/** One statement of an object file, and what Drover knows about it. */
export interface Declaration {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly kind: ObjectKind
  /** The same for two declarations of the same object, and for no others. */
  readonly identity: string
  /** What is declared, for people. */
  readonly title: string
  /** The statement with the comments above it, without a semicolon. */
  readonly text: string
  /** The comments above it, with the line break after them. */
  readonly heading: string
  /** The statement alone. */
  readonly statement: string
  readonly node: Node
  /** The same for two ways of formatting it. */
  readonly meaning: string
  readonly creates: readonly string[]
  readonly about: readonly string[]
  readonly references: References
  /** The statements that undo it, without semicolons. */
  readonly undo: readonly string[]
}

/** The line after which a file says how to undo what is above it. */
const dropMarker = '-- drover:drop'

/**
 * Reads object files: one object each, with comments on it and grants; or comments and grants alone.
 * @param folder where the files lie, for messages: a path from the root
 * @throws {DroverError} `OBJECT_INVALID` with all that is wrong
 */
export async function readDeclarations(
  objects: readonly ObjectFile[],
  folder: string,
): Promise<readonly Declaration[]> {
  await loadModule()
  const problems: Problem[] = []
  const declarations: Declaration[] = []
  for (const object of objects) {
    const read = readFile(object, `${folder}/${object.file}`)
    problems.push(...read.problems)
    declarations.push(...read.declarations)
  }
  problems.push(...findDuplicates(declarations, folder))
  throwProblems(problems)
  return declarations
}

/** What a file declares, without what it says about undoing it. */
export function creatingPart(sql: string): string {
  return partsOf(sql).creating
}

interface FileReading {
  readonly declarations: readonly Declaration[]
  readonly problems: readonly Problem[]
}

function readFile(object: ObjectFile, path: string): FileReading {
  const { creating, dropping, droppingStart } = partsOf(object.sql)
  const statements = splitStatements(creating)
  const fault = (position: number, message: string, hint: string): Problem => {
    const line = lineAt(object.sql, position)
    return { code: 'OBJECT_INVALID', file: path, line, message: `${path}:${line}: ${message}`, hint }
  }
  if (statements.length === 0) {
    return {
      declarations: [],
      problems: [fault(0, 'declares nothing', 'write one "create …" statement, or delete the file')],
    }
  }
  const problems: Problem[] = []
  const undo = dropping === undefined ? undefined : splitStatements(dropping)
  for (const statement of undo ?? []) {
    const parsed = parseOne(statement)
    if ('fault' in parsed) problems.push(fault((droppingStart ?? 0) + parsed.position, parsed.fault, syntaxHint))
  }
  if (undo?.length === 0) {
    problems.push(
      fault(droppingStart ?? 0, `nothing follows ${dropMarker}`, 'write the statements that undo what is above it'),
    )
  }

  const declarations: Declaration[] = []
  for (const [at, statement] of statements.entries()) {
    const read = readStatement(object, statement, statements[at - 1])
    if ('fault' in read) problems.push(fault(read.position, read.fault, read.hint))
    else declarations.push(read)
  }
  problems.push(...findStrangers(declarations, fault, statements))

  const main = declarations.find(isMain) ?? (declarations.length === 1 ? declarations[0] : undefined)
  if (undo && main === undefined && problems.length === 0) {
    problems.push(
      fault(
        droppingStart ?? 0,
        `${dropMarker} does not say which of the statements it undoes`,
        'give each a file of its own',
      ),
    )
  }
  const complete = declarations.map((declaration) =>
    undo && declaration === main ? { ...declaration, undo: undo.map(({ text }) => text) } : declaration,
  )
  for (const { undo: statementsOfUndo, line, title } of undo?.length === 0 ? [] : complete) {
    if (statementsOfUndo.length > 0) continue
    problems.push({
      code: 'OBJECT_INVALID',
      file: path,
      line,
      message: `${path}:${line}: how to undo ${title} cannot be worked out`,
      hint: `add a line "${dropMarker}" at the end, and below it the statements that undo it`,
    })
  }
  return { declarations: problems.length > 0 ? [] : complete, problems }
}

const syntaxHint = 'correct the statement'

function partsOf(sql: string): {
  readonly creating: string
  readonly dropping?: string
  readonly droppingStart?: number
} {
  const marker = /^--[ \t]*drover:drop[ \t]*$/m.exec(sql)
  if (!marker) return { creating: sql }
  const droppingStart = marker.index + marker[0].length
  return { creating: sql.slice(0, marker.index), dropping: sql.slice(droppingStart), droppingStart }
}

/** A file declares one object; all else in it is about that object, or there is nothing but comments and grants. */
function findStrangers(
  declarations: readonly Declaration[],
  fault: (position: number, message: string, hint: string) => Problem,
  statements: readonly Statement[],
): readonly Problem[] {
  const [main, ...others] = declarations.filter(isMain)
  if (main === undefined || declarations.length !== statements.length) return []
  const positionOf = (declaration: Declaration) => statements[declarations.indexOf(declaration)]!.start
  const problems = others.map((other) =>
    fault(
      positionOf(other),
      `${other.title} stands beside ${main.title}`,
      'give it a file of its own: one object a file',
    ),
  )
  for (const remark of declarations.filter((declaration) => !isMain(declaration))) {
    if (remark.about.some((key) => main.creates.includes(key))) continue
    const hint = `move it to the file of what it is about, or to a file of comments and grants alone`
    problems.push(fault(positionOf(remark), `it says nothing about ${main.title}, which this file declares`, hint))
  }
  return problems
}

/** Whether it is an object, and not a remark about one. */
function isMain({ kind }: Declaration): boolean {
  return kind !== 'comment' && kind !== 'grant' && kind !== 'default privileges'
}

interface Fault {
  readonly position: number
  readonly fault: string
  readonly hint: string
}

function readStatement(object: ObjectFile, statement: Statement, previous: Statement | undefined): Declaration | Fault {
  const parsed = parseOne(statement)
  if ('fault' in parsed) return { ...parsed, hint: syntaxHint }
  const described = kindOfStatement(parsed.node, statement.text)
  if ('fault' in described) return { position: statement.start, ...described }
  const above = object.sql.slice(previous === undefined ? 0 : previous.end + 1, statement.start).trim()
  const heading = above === '' ? '' : `${above}\n`
  const meaning = JSON.stringify(parsed.node, (key, value: unknown) => (meaningless.has(key) ? undefined : value))
  const title = described.title ?? shortened(statement.text)
  return {
    file: object.file,
    line: lineAt(object.sql, statement.start),
    kind: described.kind,
    identity: described.title ?? meaning,
    title,
    text: heading + statement.text,
    heading,
    statement: statement.text,
    node: parsed.node,
    meaning,
    creates: described.creates,
    about: described.about,
    references: findReferences(parsed.node, statement.text),
    undo: described.undo === undefined ? [] : [described.undo],
  }
}

/** The fields of the parser's tree that tell where in the text something stands, or what to do if it is there already. */
const meaningless = new Set([
  'location',
  'stmt_location',
  'stmt_len',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
  'replace',
  'if_not_exists',
])

function shortened(statement: string): string {
  const line = statement.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}

function parseOne(
  statement: Statement,
): { readonly node: Node } | { readonly position: number; readonly fault: string } {
  if (statement.unclosed) {
    return { position: statement.unclosed.start, fault: `a ${statement.unclosed.what} is opened here and never closed` }
  }
  try {
    const node = parseSync(statement.text).stmts?.[0]?.stmt
    if (node) return { node }
    return { position: statement.start, fault: 'there is no statement' }
  } catch (error) {
    if (!hasSqlDetails(error)) throw error
    const before = Buffer.from(statement.text).subarray(0, Math.max(0, error.sqlDetails?.cursorPosition ?? 0))
    return { position: statement.start + before.toString().length, fault: error.message }
  }
}

function findDuplicates(declarations: readonly Declaration[], folder: string): readonly Problem[] {
  return [...Map.groupBy(declarations, ({ identity }) => identity).values()].flatMap(([first, ...others]) =>
    others.map((other): Problem => {
      const path = `${folder}/${other.file}`
      return {
        code: 'OBJECT_INVALID',
        file: path,
        line: other.line,
        message: `${path}:${other.line}: ${other.title} is also declared in ${folder}/${first!.file}:${first!.line}`,
        hint: 'keep one of the two',
      }
    }),
  )
}
