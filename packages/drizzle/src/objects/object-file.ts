/** One object that Drizzle has no words for, declared as SQL: a function, a trigger, a view, an extension, a grant, … */
export interface ObjectFile {
  /** Path from the database's `objects/` folder. */
  readonly file: string
  readonly sql: string
}
