export type { Finding } from './judge.ts'
export { type LintedScript, lintScripts } from './lint-scripts.ts'
