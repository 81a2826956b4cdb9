import { duration, grouped } from './text.ts'

/** How far something has come. */
interface Progress {
  readonly done: number
  readonly total?: number
  /** Whether the total is only about that. */
  readonly estimated?: boolean
  readonly elapsedMs: number
  /** What the server is doing, where that is one statement with several stages. */
  readonly stage?: string
  /** What is counted. Default: rows. */
  readonly unit?: string
  /** Process id of the session that is waited for. */
  readonly waitsFor?: number
}

/** How much is done, how fast, and how long the rest will take, in words. Pure. */
export function progressText(progress: Progress): string {
  return progress.stage === undefined ? amountText(progress) : stageText(progress.stage, progress)
}

/** A rate would be that of several stages, and what is left that of this one alone. */
function stageText(stage: string, { done, total, unit = 'rows', waitsFor, elapsedMs }: Progress): string {
  const share = total !== undefined && unit !== 'sessions' ? ` (${Math.floor((done / total) * 100)} %)` : ''
  const amount = `${grouped(done)}${total === undefined ? '' : ` of ${grouped(total)}`} ${unit}${share}`
  return [
    stage,
    ...(done === 0 && total === undefined ? [] : [amount]),
    ...(waitsFor === undefined ? [] : [`waits for process ${waitsFor} of the server`]),
    `for ${duration(elapsedMs)}`,
  ].join(', ')
}

function amountText({ done, total, estimated, elapsedMs }: Progress): string {
  const rate = elapsedMs > 0 ? done / (elapsedMs / 1000) : 0
  const share =
    total !== undefined && total > 0
      ? ` of ${estimated ? 'about ' : ''}${grouped(total)} (${Math.floor((done / total) * 100)} %)`
      : ''
  const left = total !== undefined && rate > 0 && total > done ? (total - done) / rate : undefined
  return [
    `${grouped(done)}${share} rows`,
    ...(rate > 0 ? [`${grouped(Math.round(rate))}/s`] : []),
    ...(left === undefined ? [] : [`${duration(left * 1000)} left`]),
  ].join(', ')
}
