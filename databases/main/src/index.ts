export { createClient } from './client.ts'
export type { MainClient } from './client.ts'
export * from './schema/index.ts'
export { withTenant } from './tenant-scope.ts'
