import type { Action, Diagnostic, FactBase, Plan, StableId } from '@supabase/pg-delta'
import pg from 'pg'

/** What leads from the schema of one database to that of another. */
export interface Delta {
  /** In order, without semicolons at their ends, names qualified by schemas; each can run in a transaction unless `gaps` says otherwise. */
  readonly statements: readonly string[]
  /** What it does not know how to compare (casts, operators, …), or how to do in one transaction, one sentence each. */
  readonly gaps: readonly string[]
}

/** Which databases to compare. */
export interface DeltaOptions {
  /** URL of the database to change. */
  readonly from: string
  /** URL of the database that has the schema that is wanted. */
  readonly to: string
  /** Schemas that are nobody's business, such as Drover's own. */
  readonly ignoredSchemas: readonly string[]
}

/**
 * Compares two databases of one server; changes neither. Owners, roles and the members of extensions are left as they are, and
 * nothing is taken for renamed. When no way from one to the other can be worked out, there are no statements, and a gap says why.
 */
export async function planDelta(options: DeltaOptions): Promise<Delta> {
  // Loaded here, because most commands that could need it do not.
  const [{ extract }, { buildFactBase, encodeId }, { plan }] = await Promise.all([
    import('@supabase/pg-delta/extract'),
    import('@supabase/pg-delta/core'),
    import('@supabase/pg-delta/plan'),
  ])
  const read = async (url: string) => {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    // An idle connection that breaks would end the process; the next query says the same as an error of its own.
    pool.on('error', () => {})
    try {
      const { factBase, diagnostics } = await extract(pool)
      const { facts, edges } = withoutOwners(factBase, encodeId)
      return { facts: buildFactBase(facts, edges), roles: namesOfRoles(factBase), diagnostics }
    } finally {
      await pool.end()
    }
  }
  const [from, to] = await Promise.all([read(options.from), read(options.to)])
  const unread = describeDiagnostics([...from.diagnostics, ...to.diagnostics])
  try {
    const planned = plan(from.facts, to.facts, {
      scope: 'database',
      renames: 'off',
      assumedRoles: [...from.roles, ...to.roles],
      policy: {
        id: 'drover',
        assumedSchemas: [...options.ignoredSchemas],
        filter: options.ignoredSchemas.map((schema) => ({
          action: 'exclude',
          match: { any: [{ schema }, { all: [{ kind: 'schema' }, { name: schema }] }] },
        })),
      },
    })
    return { statements: statementsOf(planned), gaps: [...unread, ...describeBoundaries(planned)] }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { statements: [], gaps: [...unread, `no way could be worked out: ${reason}`] }
  }
}

/**
 * Objects belong to whoever creates them. The privileges that every owner has are left out as well: written down, they
 * would name the user of the database that was compared.
 */
function withoutOwners(
  base: FactBase,
  key: (id: StableId) => string,
): {
  readonly facts: ReturnType<FactBase['facts']>
  readonly edges: FactBase['edges'][number][]
} {
  const owners = new Map<string, string>()
  for (const edge of base.edges) {
    if (edge.kind === 'owner' && edge.to.kind === 'role') owners.set(key(edge.from), edge.to.name)
  }
  return {
    facts: base
      .facts()
      .filter(
        ({ id, payload }) =>
          id.kind !== 'acl' ||
          id.grantee !== owners.get(key(id.target)) ||
          !isSameSet(payload['privileges'], payload['_ownerDefault']),
      ),
    edges: base.edges.filter((edge) => edge.kind !== 'owner'),
  }
}

function isSameSet(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return false
  return new Set(one).symmetricDifference(new Set(other)).size === 0
}

function namesOfRoles(base: FactBase): readonly string[] {
  return base.facts().flatMap(({ id }) => (id.kind === 'role' ? [id.name] : []))
}

/**
 * Privileges on columns come last: pg-delta may put them before the REVOKE ALL on their table, which takes them away again. A
 * function may be created before what its body names; PostgreSQL looks into bodies unless it is told not to.
 */
function statementsOf(planned: Plan): readonly string[] {
  const [last, first] = [planned.actions.filter(grantsOnColumn), planned.actions.filter((it) => !grantsOnColumn(it))]
  const statements = [...first, ...last].map((action) => action.sql.trim().replace(/;$/, ''))
  const createsRoutine = statements.some((sql) => /^create\s+(?:or\s+replace\s+)?(?:function|procedure)\b/i.test(sql))
  return createsRoutine ? ['SET LOCAL check_function_bodies = off', ...statements] : statements
}

function grantsOnColumn({ produces, consumes }: Action): boolean {
  return [...produces, ...consumes].some((id) => id.kind === 'acl' && id.column !== undefined)
}

function describeBoundaries(planned: Plan): readonly string[] {
  return planned.actions.flatMap(({ sql, transactionality, newSegmentBefore }) => {
    const statement = sql.replaceAll(/\s+/g, ' ')
    if (transactionality === 'nonTransactional') return [`it cannot run in a transaction: ${statement}`]
    if (newSegmentBefore) return [`it uses what only a commit makes usable, a new value of an enum: ${statement}`]
    return []
  })
}

function describeDiagnostics(diagnostics: readonly Diagnostic[]): readonly string[] {
  const sentences = diagnostics.flatMap(({ code, message, context }) => {
    if (code === 'unmodeled_kind') return [`it does not compare objects of the kind ${String(context?.['kind'])}`]
    if (code === 'unresolved_dependency') return [`it may order statements wrongly: ${message}`]
    return []
  })
  return [...new Set(sentences)]
}
