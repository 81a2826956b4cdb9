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
