export { type Fleet, type FleetOptions, type Member, openFleet, problemsOf, type Unread } from './release/fleet.ts'
export {
  type DatabasePlan,
  databasesOfTarget,
  planRelease,
  type ReleasePlan,
  type ReleasePlanResult,
} from './release/plan-release.ts'
export type { DatabaseOutcome, ReleaseEvent } from './release/outcome.ts'
export { type ReleaseOptions, runRelease } from './release/run-release.ts'
export { appliedIds, type Status, statusOf } from './release/status.ts'
export {
  type Database,
  databaseOfFolder,
  discoverWorkspace,
  selectDatabases,
  type Workspace,
} from './workspace/discover.ts'
export { type DevelopmentServer, type Environment, isNamed, locateDatabases, type Located } from './workspace/locate.ts'
