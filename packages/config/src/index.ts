export type { AccessConfig, AccessOptions } from './access.ts'
export type { CriticalTable } from './critical.ts'
export {
  classify,
  databasePerTenant,
  defineDatabase,
  defineHook,
  defineMigration,
  defineRunHook,
  defineWorkspace,
  schemaPerTenant,
} from './define.ts'
export type {
  DatabaseConfig,
  DatabaseDeclaration,
  ExternalConfig,
  ExternalDatabaseDeclaration,
  SnapshotDatabaseDeclaration,
} from './define-database.ts'
export type { WorkspaceConfig, WorkspaceDeclaration } from './define-workspace.ts'
export type { Hook, HookContext, HookProblem, RunHook, RunHookContext } from './hook.ts'
export type { Hooks, HooksConfig } from './hooks.ts'
export type { LintConfig, LintOptions, LintRule } from './lint.ts'
export type { Migration, MigrationContext } from './migration.ts'
export type {
  Classified,
  ClassifiedColumn,
  ColumnClassification,
  LegalBasis,
  PersonalDataDeclaration,
} from './personal-data.ts'
export type {
  DatabasePerTenantOptions,
  RegistryOptions,
  SchemaPerTenantOptions,
  TenantsConfig,
  TenantsDeclaration,
} from './tenants.ts'
