/** A schema as drizzle-kit knows it. Its snapshots hold one, or what one revision changes of it. */
export interface SchemaState {
  readonly id: string
  readonly prevIds: readonly string[]
  readonly ddl: readonly SchemaEntity[]
}

/** A table, a column, an index, …: drizzle-kit 1.0's `ddl` entries. */
export interface SchemaEntity {
  /** `schemas`, `tables`, `enums`, `columns`, `indexes`, `fks`, `pks`, `uniques`, `checks`, `sequences`, `roles`, `privileges`, `policies`, `views`. */
  readonly entityType: string
  readonly name: string
  readonly schema?: string
  readonly table?: string
  readonly [field: string]: unknown
}

/** The id of the state in which there is nothing: the parent of a first snapshot. */
export const originId = '00000000-0000-0000-0000-000000000000'

/** The state in which there is nothing. */
export const emptyState: SchemaState = { id: originId, prevIds: [], ddl: [] }
