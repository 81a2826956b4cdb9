import type { Connection } from '../connect/connection.ts'
import { quoteLiteral } from '../sql/quote.ts'
import { pinSearchPath } from '../sql/search-path.ts'
import { sortLines, toLines } from './catalog.ts'
import { pinSession, refuseUnusable, type UnseenPrivileges, writeCatalogQuery } from './catalog-query.ts'
import { selectMembers } from './extension-members.ts'
import { quoteForeign, relabel } from './relabel.ts'

/**
 * Reads what is in one schema of a database as `readCatalog` does, with another name in place of the schema's own, so that it can be
 * compared with another schema that this function has read. Nothing is told of the schema itself, such as its privileges.
 * A schema that is not there has no lines.
 * @param as the name to put in place of the schema's. Where a definition speaks of another schema that is really called so, this
 * name is in quotes, unless it speaks of what belongs to an extension. Default `public`
 * @throws {DroverError} `PRIVILEGE_MISSING` where we may not use the schema
 */
export async function readSchemaCatalog(
  connection: Connection,
  schema: string,
  as = 'public',
  unseen: UnseenPrivileges = {},
): Promise<readonly string[]> {
  const rows = await connection.send(`${pinSession};
${writeCatalogQuery({ kind: 'schema', schema, label: quoteLiteral(marker) }, unseen)}
select spaces.own, quote_ident(${quoteLiteral(as)}) as label, has_schema_privilege(spaces.oid, 'usage') as usable, name, detail, bare_detail as bare
from spaces
left join lines on lines.space = spaces.oid`)
  if (rows.some((row) => row['usable'] !== true)) refuseUnusable([schema])
  const members = schema === as ? undefined : await readMembers(connection, as)
  const quote = (text: string, label: string) => (members ? quoteForeign(text, label, members) : text)
  return sortLines(
    rows.flatMap((row) => {
      if (typeof row['name'] !== 'string') return []
      const [own, label, detail] = [String(row['own']), String(row['label']), String(row['detail'])]
      const { bare } = row
      const relabelled =
        typeof bare === 'string' ? relabel(quote(detail, label), quote(bare, label), own, label) : detail
      return toLines(
        row['name'].replaceAll(marker, () => label),
        fillMarkers(relabelled, as, label),
      )
    }),
  )
}

/** What the query writes for the schema where it does so itself, so that this is not taken for a schema of the other name. */
const marker = '\u0001'

function fillMarkers(text: string, name: string, label: string): string {
  // The search_path of a function is a list of texts.
  return text.replaceAll(`'${marker}'`, () => `'${name.replaceAll("'", "''")}'`).replaceAll(marker, () => label)
}

/** The names of what belongs to extensions in a schema, as the server writes them in definitions. */
async function readMembers(connection: Connection, schema: string): Promise<ReadonlySet<string>> {
  const rows = await connection.send(
    `${pinSearchPath}select name from (${selectMembers}) as members where schema = ${quoteLiteral(schema)}`,
  )
  return new Set(rows.map((row) => String(row['name'])))
}
