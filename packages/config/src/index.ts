export {
  type ConfigResult,
  type DatabaseConfig,
  type DatabaseDeclaration,
  defineDatabase,
  parseDatabaseConfig,
} from './define-database.ts'
