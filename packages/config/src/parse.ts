// What reads declarations. It is no part of what those import, because they are loaded by every command.
export { type ConfigResult, parseDatabaseConfig } from './define-database.ts'
export { parseWorkspaceConfig, type WorkspaceConfigResult } from './define-workspace.ts'
export { parsePersonalData, type PersonalDataResult } from './personal-data.ts'
