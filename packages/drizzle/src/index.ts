export { readForeignHistory } from './adopt/adopt-folder.ts'
export {
  type Baseline,
  type BaselineOptions,
  type BaselineSnapshot,
  makeBaseline,
  makeBaselineSnapshot,
} from './adopt/baseline.ts'
export { convertWith } from './adopt/convert-snapshots.ts'
export type { ForeignFolder, ForeignHistory, ForeignRevision } from './adopt/foreign-history.ts'
export { type ForeignTable, foreignObjectsOf, readForeignTable, recognise } from './adopt/foreign-tables.ts'
export { findKitRevisions, readKitRevision } from './adopt/kit-folders.ts'
export { draftWayBack, type WayBack } from './adopt/way-back.ts'
export { idOfBaseline, type Recognition } from './adopt/recognition.ts'
export { type Drift, findDrift, readShadowServer, type ShadowServer } from './drift.ts'
export { isAboutForeign } from './foreign.ts'
export { type DraftedRevision, type DraftOptions, draftRevisions } from './draft.ts'
export { type Kit, startKit } from './kit/kit.ts'
export { idOfSnapshot } from './kit/snapshot-id.ts'
export { parseRename, type RenameOption } from './rename-option.ts'
export type { Ambiguity } from './renames.ts'
export { compareSchema, type RenameChoice, type SchemaComparison, type SchemaTarget } from './schema-change.ts'
export { keepSchema, type SameSchema } from './same-schema.ts'
export type { Proof } from './settle.ts'
export { dumpHistory, type DumpOptions } from './snapshot/dump-history.ts'
export { schemaOf } from './snapshot/normalize-dump.ts'
export { proveSnapshot, type SnapshotProof } from './snapshot/prove-snapshot.ts'
export type { TenantPlace } from './snapshot/tenant-dump.ts'
export { buildTenantDatabase, buildTenantSchema, type TenantSchema } from './tenant-schema.ts'
export { installedVersion, kitVersion } from './versions.ts'
export { type DraftPlace, writeDrafts } from './write-drafts.ts'
