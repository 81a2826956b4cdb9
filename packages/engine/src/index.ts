export { openConnection, type Connection, type ConnectionOptions, type Row } from './connect/connection.ts'
export { ConnectionUrl, type SslMode, type TlsFiles } from './connect/connection-url.ts'
export { createDatabase } from './connect/create-database.ts'
export { Secret } from './connect/secret.ts'
export { saslprep } from './connect/saslprep.ts'
export { objectsOf, readLine as readCatalogLine, splitObject, withoutPlaces } from './inspect/catalog-line.ts'
export { type CatalogDifference, compareCatalogs } from './inspect/compare-catalogs.ts'
export { describeDifference } from './inspect/describe-difference.ts'
export { readCatalog } from './inspect/read-catalog.ts'
export { acquireLease, describeHolder, type Lease, type LeaseHolder, type LeaseOptions } from './lease/lease.ts'
export { quoteIdentifier, quoteLiteral } from './sql/quote.ts'
export { pinSearchPath } from './sql/search-path.ts'
export { type FinishedStep, type PlanOutcome, type PlanRun, runPlan, type StepEvent } from './run/run-plan.ts'
export { type ChecksumRepair, recordRepair, type RepairRun } from './run/repair.ts'
export { findOfflineProblems, type OfflinePlan, writeOfflineScript } from './run/offline-script.ts'
export { findPoolerObstacle } from './run/session-needs.ts'
export { recordStamp, type StampRun } from './run/stamp.ts'
export { readHistory, readHistoryMeanwhile, type Source } from './source/read-revisions.ts'
export {
  findDataLoss,
  findScriptProblems,
  readChecksums,
  readScript,
  type Script,
  scriptFile,
  unfilledMarker,
} from './source/script.ts'
export { lineAt, splitStatements, type Statement } from './source/statements.ts'
export {
  completeRevision,
  type GeneratedFiles,
  type RevisionDraft,
  type SchemaFiles,
  writeEmptyRevision,
  writeGeneratedRevision,
  writeGeneratedRevisions,
  writeMergeRevision,
} from './source/write-revision.ts'
export { type Actor, type Outcome, recordEnd, recordStart, type Run } from './store/runs.ts'
export { type DatabaseState, readState } from './store/state.ts'
export { ensureStore, findStoreObstacle, storeSchema } from './store/tables.ts'
