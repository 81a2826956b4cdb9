import type {
  DatabaseDeclaration,
  ExternalDatabaseDeclaration,
  SnapshotDatabaseDeclaration,
} from './define-database.ts'
import type { WorkspaceDeclaration } from './define-workspace.ts'
import type { Hook, RunHook } from './hook.ts'
import type { Migration } from './migration.ts'
import type { Classified } from './personal-data.ts'
import type { DatabasePerTenantOptions, SchemaPerTenantOptions, TenantsDeclaration } from './tenants.ts'

// Every command loads this file, with each `database.ts`: it is to load nothing else.

/** Declares a database package: the default export of its `database.ts`. Checks types only; Drover validates on load. */
export function defineDatabase(
  declaration: DatabaseDeclaration | ExternalDatabaseDeclaration | SnapshotDatabaseDeclaration,
): typeof declaration {
  return declaration
}

/** Applies a history to a schema for each tenant, in one database or in several: for `tenants` in `database.ts`. */
export function schemaPerTenant(options: SchemaPerTenantOptions = {}): TenantsDeclaration {
  return { kind: 'schema', ...options }
}

/** Applies a history to a database for each tenant, on one server or on several: for `tenants` in `database.ts`. */
export function databasePerTenant(options: DatabasePerTenantOptions = {}): TenantsDeclaration {
  return { kind: 'database', ...options }
}

/** Declares a workspace: the default export of its `drover.config.ts`. Checks types only; Drover validates on load. */
export function defineWorkspace(declaration: WorkspaceDeclaration): WorkspaceDeclaration {
  return declaration
}

/**
 * Declares what the columns of a database are for: the export `personalData` of the file that `personalData` in `database.ts` names. With the
 * types of its Drizzle tables, a column without a classification does not compile:
 * `classify<{ user_profiles: typeof userProfiles }>({ … })`. Checks types only; Drover validates on load.
 */
export function classify<Tables extends Readonly<Record<string, { readonly $inferSelect: object }>>>(
  declaration: Classified<Tables>,
): Classified<Tables> {
  return declaration
}

/** Declares a hook of a database in TypeScript: the default export of its file. Checks types only. */
export function defineHook(hook: Hook): Hook {
  return hook
}

/** Declares a hook of a run as a whole: the default export of its file. Checks types only. */
export function defineRunHook(hook: RunHook): RunHook {
  return hook
}

/** Declares a revision in TypeScript: the default export of its `migration.ts`. Checks types only. */
export function defineMigration(migration: Migration): Migration {
  return migration
}
