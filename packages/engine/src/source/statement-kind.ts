import type { DefElem, Node, ReindexStmt } from 'libpg-query'

/**
 * How a statement stands to transactions: it runs in one like most; PostgreSQL refuses it in one; or it begins or ends one.
 */
export type StatementKind = 'inside' | 'outside' | 'transaction'

/** What PostgreSQL's parser makes of a statement. */
export type ParsedStatement =
  | { readonly kind: StatementKind }
  /** It is no statement: why, and where in its text that shows, in UTF-16 units from 0. */
  | { readonly fault: string; readonly at: number }

/** Parses statements with the grammar of PostgreSQL 18. The parser is loaded here, because it takes a tenth of a second. */
export async function parseStatements(texts: readonly string[]): Promise<readonly ParsedStatement[]> {
  const { hasSqlDetails, loadModule, parseSync } = await import('libpg-query')
  await loadModule()
  return texts.map((text) => {
    try {
      const node = parseSync(text).stmts?.[0]?.stmt
      return { kind: node ? kindOf(node) : 'inside' }
    } catch (error) {
      if (!hasSqlDetails(error)) throw error
      // It counts characters.
      const before = Array.from(text).slice(0, Math.max(0, error.sqlDetails?.cursorPosition ?? 0))
      return { fault: error.message, at: before.join('').length }
    }
  })
}

/**
 * What PostgreSQL 18 refuses in a transaction by the look of it (`PreventInTransactionBlock`). Of some statements only the
 * server knows: DROP SUBSCRIPTION of one with a slot, and CLUSTER, REINDEX or VACUUM of what is partitioned.
 */
function kindOf(node: Node): StatementKind {
  if ('TransactionStmt' in node) return savepoints.has(node.TransactionStmt.kind ?? '') ? 'inside' : 'transaction'
  return runsOutside(node) ? 'outside' : 'inside'
}

const savepoints: ReadonlySet<string> = new Set([
  'TRANS_STMT_SAVEPOINT',
  'TRANS_STMT_RELEASE',
  'TRANS_STMT_ROLLBACK_TO',
])

function runsOutside(node: Node): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true
  if ('DropStmt' in node) return node.DropStmt.concurrent === true
  if ('ReindexStmt' in node) return reindexesOutside(node.ReindexStmt)
  if ('AlterTableStmt' in node) return node.AlterTableStmt.cmds?.some(detachesConcurrently) === true
  if ('VacuumStmt' in node) return node.VacuumStmt.is_vacuumcmd === true
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL'
  if ('AlterDatabaseStmt' in node) return hasOption(node.AlterDatabaseStmt.options, 'tablespace')
  if ('CreateSubscriptionStmt' in node) {
    const { options } = node.CreateSubscriptionStmt
    return isOn(options, 'connect', true) && isOn(options, 'create_slot', true)
  }
  if ('AlterSubscriptionStmt' in node) {
    const { kind = '', options } = node.AlterSubscriptionStmt
    return refreshing.has(kind) && isOn(options, 'refresh', true)
  }
  return Object.keys(node).some((name) => alwaysOutside.has(name))
}

const alwaysOutside: ReadonlySet<string> = new Set([
  'AlterSystemStmt',
  'CreatedbStmt',
  'CreateTableSpaceStmt',
  'DropdbStmt',
  'DropTableSpaceStmt',
])

const refreshing: ReadonlySet<string> = new Set([
  'ALTER_SUBSCRIPTION_ADD_PUBLICATION',
  'ALTER_SUBSCRIPTION_DROP_PUBLICATION',
  'ALTER_SUBSCRIPTION_REFRESH',
  'ALTER_SUBSCRIPTION_SET_PUBLICATION',
])

function reindexesOutside({ kind, params }: ReindexStmt): boolean {
  const isOfMany = kind !== 'REINDEX_OBJECT_INDEX' && kind !== 'REINDEX_OBJECT_TABLE'
  return isOfMany || isOn(params, 'concurrently', false)
}

function detachesConcurrently(command: Node): boolean {
  if (!('AlterTableCmd' in command)) return false
  const { def } = command.AlterTableCmd
  return def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true
}

function hasOption(options: readonly Node[] | undefined, name: string): boolean {
  return findOption(options, name) !== undefined
}

/** Whether an option of a statement is on, which without a value it is. */
function isOn(options: readonly Node[] | undefined, name: string, otherwise: boolean): boolean {
  const option = findOption(options, name)
  if (!option) return otherwise
  const { arg } = option
  if (arg === undefined) return true
  if ('Integer' in arg) return (arg.Integer.ival ?? 0) !== 0
  if ('Boolean' in arg) return arg.Boolean.boolval === true
  return !('String' in arg) || !/^(?:false|off|0)$/i.test(arg.String.sval ?? '')
}

function findOption(options: readonly Node[] = [], name: string): DefElem | undefined {
  for (const option of options) {
    if ('DefElem' in option && option.DefElem.defname === name) return option.DefElem
  }
  return undefined
}
