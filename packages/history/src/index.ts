export { checksum } from './checksum.ts'
export {
  ancestorsOf,
  buildHistory,
  comesAfter,
  currentOf,
  descendantsOf,
  type History,
  type HistoryResult,
} from './graph.ts'
export { type Node, sortTopologically, findCircle } from './order.ts'
export {
  type AppliedRevision,
  type Direction,
  findEdited,
  findGaps,
  findUnknown,
  type Plan,
  planDowngrade,
  planUpgrade,
  remainingSteps,
  type Step,
} from './plan.ts'
export { DroverError, type Problem, type ProblemCode, throwProblems } from './problem.ts'
export { findRevision, severalHeads } from './resolve.ts'
export { idLength, isRevisionId, nameRevision, type Revision } from './revision.ts'
export { formatTarget, parseTarget, type Target } from './target.ts'
