import { type Connection, ConnectionUrl } from '@drover/engine'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'
import { type Extension, PGlite } from '@electric-sql/pglite'

/** A PostgreSQL in this process, with one database in memory. Disposing of it drops it. */
export interface LiteDatabase extends AsyncDisposable {
  /** Its only connection. */
  readonly connection: Connection
  /** What pg_dump says of it. */
  dump(args: readonly string[]): Promise<string>
}

/**
 * Starts one, which takes a few seconds.
 * @param extensions names of those that will be created; what PGlite does not bring along is for the statement to fail of
 */
export async function startLite(extensions: readonly string[]): Promise<LiteDatabase> {
  const found = await Promise.all(extensions.map(findExtension))
  const pg = await PGlite.create({ extensions: Object.fromEntries(found.flatMap((one) => (one ? [one] : []))) })
  return {
    connection: {
      url: ConnectionUrl.parse('postgres://postgres@localhost/postgres', 'PGlite'),
      send: async (sql, onRow) => {
        const results = await pg.exec(sql)
        for (const { rows } of onRow ? results : []) for (const row of rows) onRow?.(row)
        return onRow ? [] : (results.findLast(({ fields }) => fields.length > 0)?.rows ?? [])
      },
      isPooled: () => Promise.resolve(false),
      cancel: () => Promise.resolve(),
      // What a session leaves behind is all that would go with a connection.
      [Symbol.asyncDispose]: async () => {
        await pg.exec('reset session authorization; reset role; reset all; discard temp')
      },
    },
    dump: async (args) => {
      const text = await (await pgDump({ pg, args: [...args] })).text()
      // It goes without ending its transaction, in which nothing could be written.
      await pg.exec('rollback')
      return text
    },
    [Symbol.asyncDispose]: () => pg.close(),
  }
}

async function findExtension(name: string): Promise<readonly [string, Extension] | undefined> {
  // It becomes a part of a path.
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) return undefined
  const key = name.replaceAll('-', '_')
  try {
    const module: unknown = await import(`@electric-sql/pglite/contrib/${key}`)
    const extension: unknown = typeof module === 'object' && module !== null ? Reflect.get(module, key) : undefined
    return isExtension(extension) ? [key, extension] : undefined
  } catch {
    return undefined
  }
}

function isExtension(value: unknown): value is Extension {
  return typeof value === 'object' && value !== null && 'setup' in value
}
