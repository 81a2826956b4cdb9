import { DroverError } from '@drover/history'
import type { Patience } from '@drover/orchestrator'

import type { CliIo } from './io.ts'

/** What may be said of waiting on the command line. */
export interface PatienceOptions {
  readonly tries?: number
  /** In milliseconds. */
  readonly interval?: number
}

/**
 * How long to wait for servers: the options, else `DB_MAX_RETRIES` and `DB_RETRY_INTERVAL`, else 30 tries, 2 seconds apart. A
 * variable is not looked at where its option is given.
 * @throws {DroverError} `CONFIG_INVALID` for a variable that makes no sense, `USAGE` for an interval that is too long
 */
export function readPatience({ tries, interval }: PatienceOptions, environment: CliIo['env']): Patience {
  if (interval !== undefined && interval > longestMs) {
    throw new DroverError({
      code: 'USAGE',
      message: '--interval is longer than a day',
      hint: 'give the time between two tries, such as --interval 2s',
    })
  }
  return {
    tries: tries ?? readTries(environment['DB_MAX_RETRIES']),
    intervalMs: interval ?? readInterval(environment['DB_RETRY_INTERVAL']),
  }
}

const longestMs = 24 * 3_600_000

function readTries(text: string | undefined): number {
  if (!isSet(text)) return 30
  if (/^[1-9]\d{0,5}$/.test(text.trim())) return Number(text)
  throw invalid('DB_MAX_RETRIES', 'how often a server is tried, a number from 1 to 999999', 'DB_MAX_RETRIES=30')
}

/** Scripts that this variable comes from give it to `sleep`: a number alone is seconds. */
function readInterval(text: string | undefined): number {
  if (!isSet(text)) return 2000
  const match = /^(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h)?$/.exec(text.trim())
  const ms = Number(match?.[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's']!
  if (ms <= longestMs) return ms
  const what = 'the time between two tries, in seconds or with a unit, and at most a day'
  throw invalid('DB_RETRY_INTERVAL', what, 'DB_RETRY_INTERVAL=2, or 500ms')
}

/** The value is not repeated: it may be another variable's secret that has slipped. */
function invalid(variable: string, what: string, example: string): DroverError {
  return new DroverError({
    code: 'CONFIG_INVALID',
    message: `${variable} is not ${what}`,
    hint: `set it like this: ${example}; or unset it`,
  })
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}
