/** What the server says of an error, as far as it says it. */
export interface ServerError {
  /** PostgreSQL's five-character code. */
  readonly sqlstate?: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  /** The functions that it was in, innermost first. */
  readonly where?: string
  /** In the message that was sent, in characters from 1. */
  readonly position?: number
  /** A query of a function, when that is what is wrong, and the place in it, in characters from 1. */
  readonly internalQuery?: string
  readonly internalPosition?: number
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
}

/**
 * Whether somebody else has made or changed the same object at the same moment, and is through with it. "if not exists" does not keep
 * two from making it: who comes second waits in the index of the catalogue, and fails there with a duplicate. Rows of the catalogue
 * that two change are not waited for twice either; that message is an internal one, which PostgreSQL translates to no language.
 */
export function isConflict({ sqlstate, schema, message }: ServerError): boolean {
  if (sqlstate === '23505') return schema === 'pg_catalog'
  return sqlstate === 'XX000' && /^tuple concurrently (?:updated|deleted)$/.test(message)
}

/** Reads what the driver has got of the server. */
export function readServerError(error: unknown): ServerError {
  const value = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined)
  const text = (field: keyof ServerError, name: string) => {
    const found = value(name)
    return typeof found === 'string' && found !== '' ? { [field]: found } : {}
  }
  const number = (field: keyof ServerError, name: string) => {
    const found = Number(value(name))
    return found > 0 ? { [field]: found } : {}
  }
  return {
    message: error instanceof Error ? error.message : String(error),
    ...text('sqlstate', 'code'),
    ...text('detail', 'detail'),
    ...text('hint', 'hint'),
    ...text('where', 'where'),
    ...number('position', 'position'),
    ...text('internalQuery', 'internal_query'),
    ...number('internalPosition', 'internal_position'),
    ...text('schema', 'schema_name'),
    ...text('table', 'table_name'),
    ...text('column', 'column_name'),
    ...text('constraint', 'constraint_name'),
  }
}
