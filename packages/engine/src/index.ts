export { type Environment, withoutSecrets } from './code/environment.ts'
export { replayCode } from './code/run-code.ts'
export type { ModuleProgress } from './code/protocol.ts'
export { readOutput } from './code/read-output.ts'
export type { Surroundings } from './code/run-module.ts'
export type { RetryReason } from './run/attempt.ts'
export { openConnection, type Connection, type ConnectionOptions, type Row } from './connect/connection.ts'
export { ConnectionUrl, type SslMode, type TlsFiles } from './connect/connection-url.ts'
export { type Clone, createClone, dropDatabase, readSessions } from './connect/clone-database.ts'
export { isAlive } from './connect/is-alive.ts'
export { createDatabase } from './connect/create-database.ts'
export { probeServer } from './connect/probe-server.ts'
export { Secret } from './connect/secret.ts'
export { tlsFor } from './connect/tls.ts'
export { saslprep } from './connect/saslprep.ts'
export { type ExportFormat, type ExportOptions, exportHistory, findExportProblems } from './export/export-history.ts'
export { type ExportedFile, isExported } from './export/exported-file.ts'
export type { ExportedRevision } from './export/unit.ts'
export { adviseOnServer } from './diagnose/advice.ts'
export { excerptOf, placeAt } from './diagnose/excerpt.ts'
export {
  acrossVersions,
  objectsOf,
  readLine as readCatalogLine,
  splitObject,
  withoutPlaces,
} from './inspect/catalog-line.ts'
export { type CatalogDifference, compareCatalogs } from './inspect/compare-catalogs.ts'
export { describeDifference } from './inspect/describe-difference.ts'
export type { UnseenPrivileges } from './inspect/catalog-query.ts'
export type { ForeignPrivilege, OwnedSchema } from './inspect/foreign-privileges.ts'
export type { ForeignReference } from './inspect/foreign-references.ts'
export {
  fingerprintManySchemas,
  fingerprintSchemas,
  findForeignConnects,
  findForeignPrivileges,
  findForeignReferences,
  readSchemaCatalog,
} from './inspect/inspect-schemas.ts'
export { findMissingTables } from './inspect/missing-tables.ts'
export { hashCatalog } from './inspect/hash-catalog.ts'
export { readCatalog } from './inspect/read-catalog.ts'
export { readMajorVersion, readServerFacts, type ServerFacts } from './inspect/server-facts.ts'
export { countRows } from './inspect/count-rows.ts'
export {
  findHookProblems,
  findOfflineHookProblems,
  type Hook,
  type HookScript,
  isCode,
  type Moment,
  readHook,
} from './hook/read-hook.ts'
export { type DatabaseHookRun, type HookRun, runHook, runHookAlone } from './hook/run-hook.ts'
export { acquireLease, describeHolder, type Lease, type LeaseHolder, type LeaseOptions } from './lease/lease.ts'
export { type LeaseStatus, readLease, releaseLease } from './lease/lease-status.ts'
export { pinFormats } from './sql/formats.ts'
export { quoteArray, quoteIdentifier, quoteLiteral } from './sql/quote.ts'
export { pinSearchPath } from './sql/search-path.ts'
export { abandonRevision, type Abandoned, type AbandonRun } from './run/abandon.ts'
export {
  type FinishedStep,
  type PlanOutcome,
  type PlanRun,
  runPlan,
  type StepEvent,
  type TransactionScope,
} from './run/run-plan.ts'
export type { FinishedStatement } from './run/statement-times.ts'
export { isPlain } from './run/group-size.ts'
export type { RunLimits } from './run/run-limits.ts'
export { blockedBy, isStronger, type LockMode } from './run/lock-modes.ts'
export type { ObservedStatement, StepObservation } from './run/observe.ts'
export type { TakenLock } from './run/observed-locks.ts'
export { type ChecksumRepair, recordRepair, type RepairRun } from './run/repair.ts'
export { writeReplay } from './run/batch-key.ts'
export { findOfflineProblems, type OfflinePlan, writeOfflineScript } from './run/offline-script.ts'
export { findPoolerObstacle } from './run/session-needs.ts'
export { recordStamp, type StampRun } from './run/stamp.ts'
export { batchOf, fillRange } from './source/batch.ts'
export { examineScript, isInDoubt } from './source/examine-script.ts'
export { readHistory, readHistoryMeanwhile, type Source } from './source/read-revisions.ts'
export { type FilesStamp, stampFiles } from './source/stamp-files.ts'
export {
  checksumOfStatements,
  findDataLoss,
  findScriptProblems,
  readChecksums,
  readScript,
  type Script,
  unfilledMarker,
} from './source/script.ts'
export {
  parseSnapshot,
  readSnapshot,
  type SchemaSnapshot,
  snapshotFile,
  type SnapshotReading,
  tenantSchema,
  writeSnapshot,
} from './snapshot/snapshot-file.ts'
export { type SnapshotFor, snapshotTemplate } from './snapshot/tenant-snapshot.ts'
export { type SnapshotPlan, writeSnapshotScript } from './snapshot/snapshot-script.ts'
export { lineAt, readTokens, splitStatements, type Statement, type Token } from './source/statements.ts'
export {
  completeRevision,
  type CodeFiles,
  type GeneratedFiles,
  type RevisionDraft,
  type SchemaFiles,
  writeCodeRevision,
  writeEmptyRevision,
  writeGeneratedRevision,
  writeGeneratedRevisions,
  writeMergeRevision,
} from './source/write-revision.ts'
export { type Actor, type Outcome, recordEnd, recordStart, type Run } from './store/runs.ts'
export { type Progress, readLeftover, readProgress } from './store/progress.ts'
export { type DatabaseState, type HistoryState, readState } from './store/state.ts'
export {
  countTenantRows,
  dropTarget,
  groupTargets,
  listOtherTargets,
  readLastFailed,
  readSchemaSizes,
  refuseBusyTarget,
  type TargetGroup,
} from './store/targets.ts'
export {
  type DatabaseCondition,
  findDatabases,
  findDatabasesLike,
  listHistories,
  readDatabaseSizes,
} from './store/tenant-databases.ts'
export { writeRows } from './store/write-rows.ts'
export { ensureStore, findStoreObstacle, ownSchemas, queueSchema, storeSchema } from './store/tables.ts'
