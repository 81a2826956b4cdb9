import type { BenchServer } from '../server.ts'
import { connect } from './bench-databases.ts'
import { childrenOf, serverCpuMs } from './processes.ts'

/**
 * Makes a server ready for measuring what its processes cost: nothing of its own falls on whoever happens to be running.
 * @throws {Error} where nobody can tell what they cost
 */
export async function prepareServer(server: BenchServer): Promise<void> {
  if (serverCpuMs(server.pid) === 0 || childrenOf(server.pid).length === 0) {
    throw new Error(
      'this can only be measured on Linux: /proc says what the processes of a server cost, and there is none',
    )
  }
  await using control = connect({ name: 'postgres', url: server.urlOf('postgres') })
  for (const setting of ['autovacuum = off', "checkpoint_timeout = '1h'", "max_wal_size = '16GB'"]) {
    await control.send(`alter system set ${setting}`)
  }
  await control.send('select pg_reload_conf()')
}
