export {
  type Abandonment,
  type AbandonmentOutcome,
  type AbandonmentsResult,
  type AbandonOptions,
  planAbandonments,
  runAbandonments,
} from './release/abandon.ts'
export { type Fleet, type FleetOptions, type Member, openFleet, problemsOf, type Unread } from './release/fleet.ts'
export { findBrokenDependencies, type NamedHistory } from './release/dependencies.ts'
export type { Neighbour, Segment } from './release/interleave.ts'
export { readNeighbours } from './release/neighbours.ts'
export type { HeldBack } from './release/phases.ts'
export {
  type DatabasePlan,
  databasesOfTarget,
  planRelease,
  type ReleasePlan,
  type ReleasePlanResult,
} from './release/plan-release.ts'
export {
  type OfflineFile,
  type OfflineOptions,
  type OfflinePart,
  partsOfPlan,
  partsOfRange,
  writeScripts,
} from './release/offline-release.ts'
export type { DatabaseOutcome, ReleaseEvent, ReleaseOutcome } from './release/outcome.ts'
export { hooksOf } from './hooks/declared-hooks.ts'
export type { HookOutcome } from './hooks/run-hooks.ts'
export { loadRunHooks } from './workspace/load-run-hooks.ts'
export {
  decodePlanFile,
  describePlanFile,
  encodePlanFile,
  type PlanFile,
  type PlanRequest,
} from './release/plan-file.ts'
export { databasesOfPlan, describeUnplannable, findMoved, findOtherSteps } from './release/plan-staleness.ts'
export { type DatabaseRepair, planRepair, type RepairOptions, type RepairPlan, runRepair } from './release/repair.ts'
export { type ReleaseOptions, runRelease } from './release/run-release.ts'
export { readScripts } from './release/scripts.ts'
export {
  type DatabaseStamp,
  isEmptyStamp,
  planStamps,
  runStamps,
  type StampOptions,
  type StampOutcome,
  type StampsResult,
  targetsByDatabase,
} from './release/stamp.ts'
export { appliedIds, findHalfDone, type Status, statusOf } from './release/status.ts'
export {
  type Database,
  databaseOfFolder,
  discoverWorkspace,
  isExternal,
  selectDatabases,
  withoutHooks,
  type Workspace,
} from './workspace/discover.ts'
export { type DataMap, findUnclassified, loadDataMap, type TableColumn } from './workspace/data-map.ts'
export {
  type DevelopmentServer,
  isNamed,
  locateDatabases,
  type Located,
  readPassword,
  readVariable,
} from './workspace/locate.ts'
