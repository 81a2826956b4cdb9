import {
  adviseOnServer,
  type Connection,
  createDatabase,
  type DatabaseState,
  openConnection,
  readHistory,
  readHistoryMeanwhile,
  readState,
  type Source,
} from '@drover/engine'
import { buildHistory, DroverError, type History, type Problem } from '@drover/history'

import type { TenantSet } from '../tenants/tenant-set.ts'
import { type Database, hasTenants, isExternal } from '../workspace/discover.ts'
import type { Located } from '../workspace/locate.ts'
import { keepMemo, type MemoPlace, readMemo, recall } from './history-memo.ts'
import type { Status } from './status.ts'

/** A database that was reached: its files, its connection, and what it said. */
export interface Member {
  readonly located: Located
  readonly database: Database
  /** Of one that is settled, the files are read when it is asked for, so not to be taken out before it is needed; that throws as reading them does. */
  readonly history: History
  readonly connection: Connection
  readonly state: DatabaseState
  /** Whether it had to be created first. */
  readonly created: boolean
  /** Checksums of the texts of the up sides, by id, where they were asked for. */
  readonly texts?: ReadonlyMap<string, string>
  /** Where it stands, where nothing has changed since it was found to have had all revisions as their files are. */
  readonly settled?: Status
  /** Missing where it has none. */
  readonly tenants?: TenantSet
}

/** A database whose files or server could not be read. */
export interface Unread {
  readonly database: Database
  readonly problems: readonly Problem[]
}

/** The databases of one command with their connections, in upgrade order. Closes the connections when disposed of. */
export interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[]
  readonly unread: readonly Unread[]
}

/** How to open a fleet. */
export interface FleetOptions {
  /** Absolute path of the workspace's root. */
  readonly root: string
  /** Whether a database that its server does not have is created. Always so on the development server. Default `false`. */
  readonly createMissing?: boolean
  /** Whether the SQL of the revisions is read along with them, because it is going to be compared. Default `false`. */
  readonly readSql?: boolean
  /** Where it is kept what histories come to, so that files which have not changed are not read. Default: all are read. */
  readonly memos?: MemoPlace | undefined
  /** Called with each NOTICE and WARNING that a server sends. */
  readonly onNotice?: (database: string, message: string) => void
}

/**
 * Reads the files and the state of all databases side by side: one connection and one query each. What cannot be read is part
 * of the result, so that a command can show the others, or refuse before anything is changed anywhere. Missing databases are
 * created only when all the others could be read.
 */
export async function openFleet(located: readonly Located[], options: FleetOptions): Promise<Fleet> {
  const read = await Promise.all(located.map((one) => openMember(one, options)))
  const results = await createMissing(read, options)
  const opened = results.filter((result) => 'connection' in result)
  const shared = findShared(opened)
  return {
    members: opened.filter((member) => !shared.some((unread) => unread.database === member.database)),
    unread: [...results.filter((result) => 'problems' in result), ...shared],
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        opened
          .flatMap(({ connection, tenants }) => [connection, ...(tenants ? [tenants] : [])])
          .map((one) => one[Symbol.asyncDispose]()),
      )
    },
  }
}

async function openMember(
  located: Located,
  options: FleetOptions,
): Promise<Member | (Unread & { readonly located: Located })> {
  const { database, url } = located
  const connection = openConnection(url, { onNotice: (message) => options.onNotice?.(database.name, message) })
  const source = { root: options.root, folder: database.migrations }
  // Those of tenants need the files in any case.
  const memos = isExternal(database) || located.tenants ? undefined : options.memos
  try {
    const memo = memos && readMemo(memos, database.name, source)
    // The files are read while the server answers.
    const answer = readState(connection, database.name, { withFingerprint: memo !== undefined })
    answer.catch(() => undefined)
    const settled = memo && (await recall(memo, source, answer))
    if (settled) return settledMember(located, connection, source, settled)
    const readAt = Date.now()
    const texts = options.readSql ? new Map<string, string>() : undefined
    const history = isExternal(database) ? noRevisions() : await readHistoryMeanwhile(source, texts)
    const state = await answer
    if (memos && texts) await keepMemo(memos, database.name, source, { history, texts, readAt }, state)
    const member = { located, database, history, connection, state, created: false, ...(texts && { texts }) }
    if (!located.tenants) return member
    // Most databases have none.
    const { openTenantSet } = await import('../tenants/tenant-set.ts')
    return { ...member, tenants: openTenantSet({ root: options.root, database, history, texts }, located.tenants) }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    return { located, database, problems: problemsOf(error, database.name) }
  }
}

/** A member whose files have not been read, and are once somebody asks for them. */
function settledMember(
  located: Located,
  connection: Connection,
  source: Source,
  { status, state }: { readonly status: Status; readonly state: DatabaseState },
): Member {
  let history: History | undefined
  return {
    located,
    database: located.database,
    connection,
    state,
    created: false,
    settled: status,
    get history() {
      return (history ??= readHistory(source))
    },
  }
}

/** The history of a database that migrates itself, whatever folders it has. */
function noRevisions(): History {
  const built = buildHistory([])
  if (!built.ok) throw new Error('a history without revisions is valid')
  return built.history
}

type OpenResult = Awaited<ReturnType<typeof openMember>>

async function createMissing(
  read: readonly OpenResult[],
  options: FleetOptions,
): Promise<readonly (Member | Unread)[]> {
  const creatable = (result: OpenResult) =>
    'problems' in result &&
    result.problems.every((problem) => problem.code === 'DATABASE_MISSING') &&
    (options.createMissing === true || result.located.development)
  if (read.some((result) => 'problems' in result && !creatable(result))) {
    // What would have been created is not what is wrong.
    return read.map((result) => (creatable(result) ? { database: result.located.database, problems: [] } : result))
  }
  // Tenants are mostly in the database of another, which makes it.
  const isLate = ({ located }: OpenResult) => located.tenants !== undefined
  const create = async (result: OpenResult) => (creatable(result) ? createMember(result.located, options) : result)
  const first = await Promise.all(read.map(async (result) => (isLate(result) ? undefined : create(result))))
  return Promise.all(read.map(async (result, at) => first[at] ?? create(result)))
}

async function createMember(located: Located, options: FleetOptions): Promise<Member | Unread> {
  const { database, url } = located
  try {
    const created = await createDatabase(url)
    const member = await openMember(located, options)
    return 'problems' in member ? member : { ...member, created }
  } catch (error) {
    return { database, problems: problemsOf(error, database.name) }
  }
}

/** Histories of two databases in one would take each other's tables for their own. */
function findShared(members: readonly Member[]): readonly Unread[] {
  // Tenants have schemas of their own, in the database that lists them as in any other.
  const whole = members.filter(({ database }) => !hasTenants(database))
  return [...Map.groupBy(whole, (member) => member.state.identity).values()]
    .filter((group) => group.length > 1)
    .map((group) => {
      const [first] = group
      const names = group.map((member) => member.database.name)
      return {
        database: first!.database,
        problems: [
          {
            code: 'SAME_DATABASE',
            database: first!.database.name,
            message: `${names.join(' and ')} lead to the same database, ${first!.located.url.place}`,
            hint: `correct ${group.map((member) => member.located.url.source).join(' or ')}`,
          },
        ],
      }
    })
}

/** The problems of any error, each with its database. What is not ours is kept as an internal problem with its cause. */
export function problemsOf(error: unknown, database: string): readonly Problem[] {
  if (error instanceof DroverError) return error.problems.map((problem) => ({ ...problem, database }))
  const message = error instanceof Error ? error.message : String(error)
  const sqlstate = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const privilege = sqlstate === '42501'
  const advice = adviseOnServer(error)
  return [
    {
      code: privilege ? 'PRIVILEGE_MISSING' : advice === undefined ? 'INTERNAL' : 'STATEMENT_FAILED',
      database,
      message,
      ...(sqlstate !== undefined && { sqlstate }),
      ...(privilege && { hint: 'connect as the owner of the database, or let its owner grant what is missing' }),
      ...(advice !== undefined && { hint: `${advice}, then run the same command again` }),
    },
  ]
}
