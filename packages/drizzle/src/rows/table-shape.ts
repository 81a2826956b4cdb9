import * as v from 'valibot'

const typeShape = v.object({
  oid: v.string(),
  name: v.string(),
  /** As in `pg_type.typtype`: base, enum, domain, composite, range or multirange. */
  kind: v.string(),
  /** Whether it is one of the server's own. */
  builtIn: v.boolean(),
  /** Of an array: the type of its elements, and what separates them. */
  element: v.nullable(v.string()),
  delimiter: v.string(),
  /** Of a domain. */
  base: v.nullable(v.string()),
  baseModifier: v.number(),
  checks: v.array(v.string()),
  notNull: v.boolean(),
  /** Of a range or multirange: the type of its bounds. */
  bound: v.nullable(v.string()),
  labels: v.array(v.string()),
  attributes: v.array(v.object({ type: v.string(), modifier: v.number() })),
})

const columnShape = v.object({
  name: v.string(),
  /** Type with modifier, as in a column definition. */
  declared: v.string(),
  type: v.string(),
  modifier: v.number(),
  notNull: v.boolean(),
  /** Whether its value comes from an expression of other columns. */
  generated: v.boolean(),
  /** Whether its values are counted: an identity, or a default that calls nextval. */
  counted: v.boolean(),
  default: v.nullable(v.string()),
})

const foreignKey = v.object({
  columns: v.array(v.string()),
  /** The referenced table. */
  table: v.string(),
  references: v.array(v.string()),
  deferrable: v.boolean(),
})

const tableShape = v.object({
  oid: v.string(),
  schema: v.string(),
  name: v.string(),
  partitioned: v.boolean(),
  columns: v.array(columnShape),
  checks: v.array(v.object({ expression: v.string(), columns: v.array(v.string()) })),
  foreignKeys: v.array(foreignKey),
  /** Unique constraints and indexes that hold for every row. */
  uniqueKeys: v.array(v.object({ columns: v.array(v.string()), nullsDistinct: v.boolean() })),
  /** What its partitions ask of a row, one expression each; the columns that decide. */
  partitions: v.array(v.string()),
  partitionColumns: v.array(v.string()),
  /** The triggers of users that fire: the command that switches each off, and the one that restores it. */
  triggers: v.array(v.object({ disable: v.string(), enable: v.string() })),
})

/** The shape of all tables that may get rows, and of the types of their columns. */
export const databaseShape = v.object({ tables: v.array(tableShape), types: v.array(typeShape) })

export type TypeShape = v.InferOutput<typeof typeShape>
export type ColumnShape = v.InferOutput<typeof columnShape>
export type ForeignKey = v.InferOutput<typeof foreignKey>
export type TableShape = v.InferOutput<typeof tableShape>
export type DatabaseShape = v.InferOutput<typeof databaseShape>
