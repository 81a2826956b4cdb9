export type { AccessConfig, AccessOptions } from './access.ts'
export {
  type ConfigResult,
  type DatabaseConfig,
  type DatabaseDeclaration,
  defineDatabase,
  type ExternalConfig,
  type ExternalDatabaseDeclaration,
  parseDatabaseConfig,
} from './define-database.ts'
export {
  defineWorkspace,
  parseWorkspaceConfig,
  type WorkspaceConfig,
  type WorkspaceConfigResult,
  type WorkspaceDeclaration,
} from './define-workspace.ts'
export {
  defineHook,
  defineRunHook,
  type Hook,
  type HookContext,
  type HookProblem,
  type RunHook,
  type RunHookContext,
} from './hook.ts'
export type { Hooks, HooksConfig } from './hooks.ts'
export { defineMigration, type Migration, type MigrationContext } from './migration.ts'
export {
  classify,
  type Classified,
  type ClassifiedColumn,
  type ColumnClassification,
  type LegalBasis,
  legalBases,
  parsePersonalData,
  type PersonalDataDeclaration,
  type PersonalDataResult,
} from './personal-data.ts'
