export { checksum, checksumWithStatements, compareChecksums, fingerprintOf } from './checksum.ts'
export { type Draft, type DraftOptions, draftRevision } from './draft.ts'
export { findRevision, type Found } from './find-revision.ts'
export {
  ancestorsOf,
  buildHistory,
  closureOf,
  comesAfter,
  currentOf,
  descendantsOf,
  type History,
  type HistoryResult,
} from './graph.ts'
export {
  abandonCommand,
  type BatchProgress,
  describeDone,
  describeHalfDone,
  describeUnfinishedBackfill,
  goesOn,
  type HalfDone,
  type Leftover,
  resumeCommand,
} from './half-done.ts'
export { checkMerge, type MergeCheck } from './merge.ts'
export { type Node, sortTopologically, findCircle } from './order.ts'
export { isLaterPhase, type Phase, phases } from './phase.ts'
export {
  type AppliedRevision,
  type Direction,
  findEdited,
  findGaps,
  findReformatted,
  findUnknown,
  type Plan,
  planDowngrade,
  planUpgrade,
  remainingSteps,
  type Step,
  type UpgradeOptions,
} from './plan.ts'
export { findHeldBack, type PhasedNode } from './plan-phase.ts'
export {
  type Blocker,
  type BlockingLock,
  DroverError,
  type Problem,
  type ProblemCode,
  throwProblems,
} from './problem.ts'
export { blockersText, duration, nameBlocker, type Paint, problemText } from './problem-text.ts'
export { type RangeResolution, type RangeUse, resolveRange } from './range.ts'
export { resolvePlace, severalHeads } from './resolve.ts'
export {
  idLength,
  isRevisionId,
  missingWayBack,
  nameRevision,
  scriptFile,
  type Batch,
  type ElsewhereDependency,
  type Revision,
} from './revision.ts'
export { digestOf, judgeSnapshot, type SnapshotRevision, type SnapshotVerdict } from './schema-snapshot.ts'
export { planStamp, type Stamp, type StampPlan } from './stamp.ts'
export {
  allHeads,
  faultOfLabel,
  formatRange,
  formatTarget,
  parseRange,
  parseTarget,
  type Range,
  type Target,
} from './target.ts'
