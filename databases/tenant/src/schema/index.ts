export * from './contexts.ts'
export * from './summaries.ts'
