/** What every server for development and tests is started with, as far as it is not PostgreSQL's default. */
export const SETTINGS: readonly string[] = [
  // Test runs open a pool per file, on several databases at once.
  'max_connections=200',
  // The same results on every developer's machine.
  'timezone=UTC',
  'log_timezone=UTC',
  // Routine, and nobody reads it here.
  'log_checkpoints=off',
]

/** For data that is thrown away anyway: nothing waits for the disk, and a machine that stops may cost the data. */
export const NOT_DURABLE: readonly string[] = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']
