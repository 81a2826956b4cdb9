import type { Connection } from '../connect/connection.ts'
import { pinSession, writeCatalogQuery } from './catalog-query.ts'

/**
 * Reads the schema of a database as sorted lines of text, each beginning with the object that it is about, fit for comparing
 * and for showing the difference. In one message, from the catalogues alone.
 *
 * Left out: system schemas, Drover's own, everything that belongs to an extension (the indexes and triggers on its tables
 * included), owners, tablespaces, statistics, and the order in which dropped columns once stood. Privileges are
 * shown where they differ from those of a fresh object, with `owner` in place of the owner's name; whose default privileges
 * they are is `owner` where it is the owner of the database or whoever reads this.
 * @param unseenRoles roles of the server whose privileges are left out as well. Default none
 */
export async function readCatalog(
  connection: Connection,
  unseenRoles: readonly string[] = [],
): Promise<readonly string[]> {
  const rows = await connection.send(`${pinSession};
${writeCatalogQuery({ kind: 'database' }, { unseenRoles })}
select name, detail from lines`)
  return sortLines(rows.flatMap((row) => toLines(String(row['name']), String(row['detail']))))
}

/** One line, or one for each line of a definition, numbered so that sorting keeps them in order. */
export function toLines(name: string, detail: string): readonly string[] {
  const lines = detail.replace(/\n+$/, '').split('\n')
  if (lines.length === 1) return [`${name}: ${lines[0]}`]
  return lines.map((line, index) => `${name} ${String(index + 1).padStart(4, '0')}: ${line}`)
}

/** In the order of their code units, which no locale changes. */
export function sortLines(lines: readonly string[]): readonly string[] {
  return lines.toSorted((a, b) => (a < b ? -1 : Number(a > b)))
}
