import { normalizeStatement } from './statements.ts'

/**
 * Whether PostgreSQL refuses a statement in a transaction, as far as a quick look at its text tells: rather once too often, as what
 * is refused for it is parsed before (`examineScript`). What a function or a block does is not looked into.
 */
export function runsOutsideTransaction(statement: string): boolean {
  return outside.test(statement) || (/\bconcurrently\b/i.test(statement) && isConcurrent(normalizeStatement(statement)))
}

const outside =
  /^(?:vacuum|(?:create|drop)\s+(?:database|tablespace)|alter\s+system|alter\s+database\b[^]*\bset\s+tablespace|create\s+subscription|discard\s+all|reindex\s+(?:\([^)]*\)\s*)?(?:database|system|schema))\b|^cluster$/i

/** REFRESH MATERIALIZED VIEW CONCURRENTLY is not among them: it runs in a transaction like everything else. */
function isConcurrent(normal: string): boolean {
  return (
    /^(?:create\s(?:unique\s)?|drop\s)index\sconcurrently\b/i.test(normal) ||
    /^reindex\s?(?:\([^)]*\bconcurrently\b[^)]*\)|\w+\sconcurrently\b)/i.test(normal) ||
    /^alter\stable\b[^]*\bdetach\spartition\b[^]*\bconcurrently$/i.test(normal)
  )
}

/** An index that a statement makes or drops concurrently, named as the statement names it. */
export type ConcurrentIndex =
  | {
      readonly verb: 'create'
      /** SQL. */
      readonly table: string
      /** As text: without quotes. */
      readonly name: string
    }
  // The name is SQL.
  | { readonly verb: 'drop'; readonly name: string }

/** What an unfinished statement may have left half made, if it is of that kind. */
export function findConcurrentIndex(statement: string): ConcurrentIndex | undefined {
  const normal = normalizeStatement(statement)
  const made = creation.exec(normal)?.groups
  if (made) return { verb: 'create', table: made['table']!, name: unquote(made['name']!) }
  const dropped = removal.exec(normal)?.groups
  return dropped && { verb: 'drop', name: dropped['name']! }
}

const identifier = String.raw`(?:"(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`
const qualified = String.raw`${identifier}(?:\s?\.\s?${identifier})?`
const creation = new RegExp(
  String.raw`^create\s(?:unique\s)?index\sconcurrently\s?(?:if\snot\sexists\s?)?(?<name>${identifier})\s?on\s?(?<table>${qualified})\s?(?:using\b|\()`,
  'i',
)
const removal = new RegExp(
  String.raw`^drop\sindex\sconcurrently\s?(?:if\sexists\s?)?(?<name>${qualified})(?:\s?(?:restrict|cascade))?$`,
  'i',
)

/** PostgreSQL folds what is not quoted, in ASCII only. */
function unquote(name: string): string {
  return name.startsWith('"')
    ? name.slice(1, -1).replaceAll('""', '"')
    : name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** The statements among these that set something for the session, which a later session has to be told again. */
export function findSettings(statements: readonly string[]): readonly string[] {
  return statements.filter((statement) => setting.test(statement))
}

const setting = /^(?:set|reset)\b(?!\s+(?:local|transaction|constraints)\b)/i

/** Whether a statement leaves something behind in its session, as far as the text tells. What a function does that it calls is not looked into. */
export function leavesSomething(statement: string): boolean {
  return (
    setting.test(statement) ||
    /^(?:select|with|do)\b[^]*\bset_config\s*\(/i.test(statement) ||
    /^create\s+(?:(?:local|global)\s+)?temp(?:orary)?\b/i.test(statement)
  )
}
