export { type Delta, type DeltaOptions, planDelta } from './plan-delta.ts'
