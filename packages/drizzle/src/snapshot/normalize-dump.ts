import { splitStatements } from '@drover/engine'

import { keepExpressions } from './keep-expressions.ts'

/**
 * Brings what pg_dump prints into the form of a snapshot: only what is about the schema and its rows, fit for one message to a
 * server and for psql, and the same whenever and with whichever version it was dumped.
 */
export function normalizeDump(dump: string): string {
  const texts = splitStatements(withoutRestriction(dump.replaceAll('\r\n', '\n')))
    .map(({ text }) => text)
    .filter((text) => !noise.test(text))
    .map((text) => (isRows(text) ? text : keepExpressions(text)))
  const methods = new Set(texts.filter((text) => text.startsWith(accessMethod)))
  // What every table has is what it has by itself.
  const isUsual = methods.size === 1 && methods.has(`${accessMethod} heap`)
  const kept = isUsual ? texts.filter((text) => !methods.has(text)) : texts
  return kept.map((text, at) => `${separatorOf(kept[at - 1], text)}${text};\n`).join('')
}

/** The statements that make the schema, without those that fill in rows: rows may hold what is random, or the time. */
export function schemaOf(statements: readonly string[]): readonly string[] {
  return statements.filter((text) => !isRows(text))
}

/**
 * pg_dump 18 guards psql against commands in a hostile dump, by a token that is another one each time; servers know nothing of
 * either line.
 */
function withoutRestriction(dump: string): string {
  const token = /^\\restrict (\S+)$/m.exec(dump)?.[1]
  return token === undefined ? dump : dump.replace(`\\restrict ${token}\n`, '').replace(`\\unrestrict ${token}\n`, '')
}

const accessMethod = 'SET default_table_access_method ='

/**
 * Limits are for whoever loads it to set, and older servers do not know all of them; a comment on an extension is the extension's own,
 * and only a superuser may make it.
 */
const noise =
  /^(?:SET (?:(?:statement|lock|idle_in_transaction_session|transaction)_timeout|xmloption|client_min_messages|default_tablespace) =|COMMENT ON EXTENSION )/

function isSetting(text: string): boolean {
  return /^(?:SET |SELECT pg_catalog\.set_config\()/.test(text)
}

function isRows(text: string): boolean {
  return /^(?:INSERT INTO |SELECT pg_catalog\.setval\()/.test(text)
}

/** Settings, and rows of a table, stand together. */
function separatorOf(before: string | undefined, text: string): string {
  if (before === undefined) return ''
  const isTogether = (isSetting(before) && isSetting(text)) || (isRows(before) && isRows(text))
  return isTogether ? '' : '\n'
}
