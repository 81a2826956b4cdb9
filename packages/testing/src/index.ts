export { headsAreSingle } from './kit/heads.ts'
export { schemaMatchesHistory } from './kit/schema.ts'
export { everyRevisionGoesUpAndDown, type RoundTrips } from './kit/up-and-down.ts'
export { type DataUpgrade, upgradeWithData } from './kit/upgrade-with-data.ts'
export {
  type DatabaseOptions,
  migratedDatabase,
  type MigratedDatabase,
  migratedSet,
  type MigratedSet,
} from './migrated-database.ts'
export { type Place, withRollback } from './with-rollback.ts'
