import type { Cost } from '../runner/run-measured.ts'

/** What is done one after the other, with the same tenants. */
export const steps = [
  { name: 'from-nothing', title: '10 revisions from nothing' },
  { name: 'one-more', title: 'one more revision' },
  { name: 'nothing', title: 'nothing to do' },
  { name: 'nothing-for-one', title: 'nothing to do, one of them' },
] as const

export type StepName = (typeof steps)[number]['name']

/** What the steps cost a tool in one round. */
export type Round = Readonly<Record<StepName, Cost>>

/** What it cost a tool, round by round, or why it did not run. */
export type MeasuredTool = { readonly tool: string } & (
  | { readonly rounds: readonly Round[] }
  | { readonly reason: string }
)

/** Some tenants, and what they cost every tool. */
export interface MeasuredSize {
  readonly tenants: number
  readonly tools: readonly MeasuredTool[]
}
