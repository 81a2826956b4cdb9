import postgres from 'postgres'

/** Whatever has a URL, or the URL. */
export type Place = string | { readonly url: string }

/**
 * Does something in a transaction, which is rolled back whatever comes of it, and returns or throws what it did. The client is one
 * of postgres.js: its `begin` makes a savepoint, so that code with transactions of its own can be given it, and Drizzle too
 * (`drizzle({ client: sql })`).
 * @throws {Error} when what is done has ended the transaction itself, so that it could not be rolled back
 */
export async function withRollback<Result>(
  database: Place,
  act: (sql: postgres.Sql) => Promise<Result> | Result,
): Promise<Result> {
  const url = typeof database === 'string' ? database : database.url
  const client = postgres(url, { max: 1, onnotice: () => {} })
  let outcome: { readonly result: Result } | undefined
  try {
    await client.begin(async (transaction) => {
      const [before] = await transaction<Row[]>`select pg_current_xact_id()::text as id`
      const result = await act(asClient(transaction, client))
      await refuseEnded(transaction, before!.id)
      outcome = { result }
      throw rollback
    })
  } catch (error) {
    if (error !== rollback) throw error
  } finally {
    await client.end({ timeout: 5 })
  }
  return outcome!.result
}

interface Row {
  readonly id: string
}

/** What tells the driver to roll back, and comes back out of it. */
const rollback = new Error('rolled back, as it was meant to be')

/** The transaction as something that code takes for a client of its own: it lacks a few things that a client has. */
function asClient(transaction: postgres.TransactionSql, client: postgres.Sql): postgres.Sql {
  const begin = (first: string | Inner, second?: Inner) =>
    transaction.savepoint(typeof first === 'string' ? second! : first)
  const { options, parameters } = client
  const rest = { options, parameters, begin, end: doNothing, close: doNothing }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left out needs a connection of its own: `listen`, `subscribe`, `reserve`
  return Object.assign(transaction, rest) as unknown as postgres.Sql
}

/** What runs in a transaction of its own, as it thinks. */
type Inner = (sql: postgres.TransactionSql) => Promise<unknown>

async function doNothing(): Promise<void> {}

/** A statement of its own may have ended the transaction; what came after it would have been kept without a word. */
async function refuseEnded(transaction: postgres.TransactionSql, before: string): Promise<void> {
  try {
    const [now] = await transaction<Row[]>`select pg_current_xact_id()::text as id`
    if (now?.id === before) return
  } catch (error) {
    // After an error that was caught the transaction is still there, and takes nothing but its end.
    if (error instanceof postgres.PostgresError && error.code === '25P02') return
    throw error
  }
  throw new Error(
    'withRollback: the transaction was committed or rolled back by a statement of its own, so that what came after it may be kept. ' +
      'Leave out "commit" and "rollback", or give this test a database of its own: migratedDatabase(…)',
  )
}
