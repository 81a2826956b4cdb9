import { migratedDatabase } from './migrated-database.ts'

/**
 * A process that makes a database, says so, and never drops it. With `stay` it goes on until it is killed.
 *
 *     node example-process.ts <root> <server> <database> [stay]
 */
const [root = '', server = '', database = '', stay] = process.argv.slice(2)

process.stdout.write('starting\n')
const { name, url } = await migratedDatabase(database, { root, server })
process.stdout.write(`${JSON.stringify({ name, url })}\n`)
if (stay === 'stay') setInterval(() => {}, 60_000)
