/** The kinds of things that drizzle-kit can take for renamed. */
export type RenamedKind =
  | 'table'
  | 'column'
  | 'default'
  | 'schema'
  | 'enum'
  | 'sequence'
  | 'view'
  | 'policy'
  | 'role'
  | 'check'
  | 'index'
  | 'unique'
  | 'primary_key'
  | 'foreign key'

/** A name as drizzle-kit writes it: `[name]`, `[schema, name]`, or `[schema, table, name]`. */
export type EntityPath = readonly string[]

/** An answer to a question of drizzle-kit: renamed from, or new. A column's paths carry the table's new name on both sides. */
export type KitHint =
  | { readonly type: 'rename'; readonly kind: RenamedKind; readonly from: EntityPath; readonly to: EntityPath }
  | { readonly type: 'create'; readonly kind: RenamedKind; readonly entity: EntityPath }

/** A question of drizzle-kit: is this new, or something else with a new name? */
export interface KitQuestion {
  readonly kind: RenamedKind
  readonly entity: EntityPath
}
