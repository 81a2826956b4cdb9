export { createClient } from './client.ts'
export type { ClientOptions, CredentialsClient } from './client.ts'
export * from './schema/index.ts'
