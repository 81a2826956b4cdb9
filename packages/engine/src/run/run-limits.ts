/** For how long a run waits for others, and what it does then. Durations are in milliseconds. */
export interface RunLimits {
  /** A lock that is not to be had in this time ends the attempt. Default 100. */
  readonly lockTimeoutMs?: number | undefined
  /** How often something is tried that cannot have a lock. Default 30. */
  readonly lockAttempts?: number | undefined
  /** Sessions that are in the way and idle in a transaction for as long as this are ended. Default: none is. */
  readonly killBlockersAfterMs?: number | undefined
  /** How long a statement may take. Default 0: no limit. */
  readonly statementTimeoutMs?: number | undefined
}
