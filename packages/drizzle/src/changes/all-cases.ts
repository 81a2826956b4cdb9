import { columns } from './cases/columns.ts'
import { constraints } from './cases/constraints.ts'
import { defaults } from './cases/defaults.ts'
import { enums } from './cases/enums.ts'
import { foreignKeys } from './cases/foreign-keys.ts'
import { indexes } from './cases/indexes.ts'
import { names } from './cases/names.ts'
import { policies } from './cases/policies.ts'
import { schemas } from './cases/schemas.ts'
import { sequences } from './cases/sequences.ts'
import { several } from './cases/several.ts'
import { tables } from './cases/tables.ts'
import { types } from './cases/types.ts'
import { views } from './cases/views.ts'
import type { ChangeCases } from './change-case.ts'

/** The table of schema changes: every kind of change that a Drizzle schema can see. */
export const allCases: readonly ChangeCases[] = [
  tables,
  columns,
  types,
  defaults,
  constraints,
  foreignKeys,
  indexes,
  enums,
  sequences,
  views,
  schemas,
  policies,
  names,
  several,
]
