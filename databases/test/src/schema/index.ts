export * from './audit-logs.ts'
export * from './consents.ts'
export * from './conversations.ts'
export * from './profiles.ts'
