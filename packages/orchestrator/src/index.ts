export {
  type Abandonment,
  type AbandonmentOutcome,
  type AbandonmentsResult,
  type AbandonOptions,
  planAbandonments,
  runAbandonments,
} from './release/abandon.ts'
export type { MemoPlace } from './release/history-memo.ts'
export { type Fleet, type FleetOptions, type Member, openFleet, problemsOf, type Unread } from './release/fleet.ts'
export { type CriticalFindings, findCritical } from './readiness/find-critical.ts'
export { type Arrival, type Delay, type Patience, waitForServers } from './readiness/wait-for-servers.ts'
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
export {
  type ClonedDatabase,
  type CloneOrigin,
  copyDatabase,
  copyTemplate,
  replayDatabase,
  type ReplayOptions,
} from './rehearsal/clone-source.ts'
export { examineDatabases } from './doctor/examine-database.ts'
export { fine, type Finding, wrongAs } from './doctor/finding.ts'
export { type EnvironmentFacts, judgeEnvironment, judgeShadows } from './doctor/judge-environment.ts'
export { type Doomed, dropAll, findResetProblems, type ResetWish, surveyDatabase } from './reset.ts'
export { restoreDump } from './rehearsal/restore-dump.ts'
export type { LostRows } from './rehearsal/lost-rows.ts'
export {
  type DatabaseRehearsal,
  type PassName,
  rehearse,
  type RehearsedPass,
  type RehearsedStep,
} from './rehearsal/rehearse.ts'
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
export { snapshotCommand, type SnapshotChoice } from './snapshot/choose-snapshot.ts'
export { type InitdbFile, type InitdbPart, writeInitdb } from './snapshot/initdb.ts'
export { readSnapshotState, type SnapshotState } from './snapshot/snapshot-state.ts'
export { appliedIds, findHalfDone, type Status, statusOf } from './release/status.ts'
export {
  type Database,
  databaseOfFolder,
  discoverWorkspace,
  hasTenants,
  isExternal,
  isMirror,
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
export type { FanOutWish } from './tenants/fan-out-options.ts'
export {
  type ServerOutcome,
  sumCounts,
  type TenantCounts,
  type TenantFailure,
  type TenantsEvent,
  type TenantsOutcome,
} from './tenants/outcome.ts'
export type { TenantPlan, TenantsWish } from './tenants/planner.ts'
export type { TenantFilter } from './tenants/registry.ts'
export { countBehind, isBusy, type SurveyGroup, type TenantsPlan, type TenantSurvey } from './tenants/survey.ts'
