import { describe, expect, it } from 'vitest'

import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts'
import { splitStatements } from '../source/statements.ts'
import { parseSnapshot, type SchemaSnapshot, writeSnapshot } from './snapshot-file.ts'
import { snapshotTemplate } from './tenant-snapshot.ts'

function snapshotOf(body: string): SchemaSnapshot {
  const text = writeSnapshot({ migrations: 'm', heads: [], revisions: [], body, command: 'c', isOfTenant: true })
  const reading = parseSnapshot('databases/tenant/schema.sql', text)
  if (reading.kind !== 'read') throw new Error(JSON.stringify(reading))
  return reading.snapshot
}

/** The statements of a body for a tenant. */
function fill(body: string, schema = 'tenant_a-b'): readonly string[] {
  return snapshotTemplate(snapshotOf(body))(schema).statements.map(({ text }) => text)
}

describe('snapshotTemplate', () => {
  it('names the schema of the tenant wherever code names the one that stands for it', () => {
    expect(
      fill(
        'CREATE SCHEMA IF NOT EXISTS drover_tenant;\nCREATE INDEX i ON drover_tenant.t USING btree (a);\nselect drover_tenant."T";',
      ),
    ).toEqual([
      'CREATE SCHEMA IF NOT EXISTS "tenant_a-b"',
      'CREATE INDEX i ON "tenant_a-b".t USING btree (a)',
      'select "tenant_a-b"."T"',
    ])
  })

  it.each([
    [`nextval('drover_tenant.s'::regclass)`, `nextval('"tenant_a-b".s'::regclass)`],
    [`'drover_tenant."S"'::regclass`, `'"tenant_a-b"."S"'::regclass`],
    [`values ('drover_tenant')`, `values ('tenant_a-b')`],
    [`values ('drover_tenant_2', 'my_drover_tenant.x')`, `values ('drover_tenant_2', 'my_drover_tenant.x')`],
    [`values (E'\\'drover_tenant.t')`, `values (E'\\'"tenant_a-b".t')`],
  ])('in a string as in %s', (before, after) => {
    expect(fill(`select ${before};`)).toEqual([`select ${after}`])
  })

  it.each(['drover_tenants.t', '"drover_tenant_x".t', '$$ drover_tenant.t $$', '/* drover_tenant.t */ 1'])(
    'leaves %s alone',
    (text) => {
      expect(fill(`select ${text};`)).toEqual([`select ${text}`])
    },
  )

  it.each([`it's`, 'a"b', 'Ünïcode', 'select'])('takes a schema that is called %s', (schema) => {
    expect(fill(`select drover_tenant.f('drover_tenant.s', 'drover_tenant');`, schema)).toEqual([
      `select ${quoteIdentifier(schema)}.f(${quoteLiteral(`${quoteIdentifier(schema)}.s`)}, ${quoteLiteral(schema)})`,
    ])
  })

  it('keeps the places of all statements, and the lines of the file', () => {
    const snapshot = snapshotOf(`create table drover_tenant.a ();

-- drover_tenant
create table drover_tenant.b (n integer default nextval('drover_tenant.s'));
select 1;
`)

    const filled = snapshotTemplate(snapshot)('tenant_with_a_longer_name')

    expect(filled.statements).toEqual(splitStatements(filled.sql))
    expect(filled.sql.split('\n')).toHaveLength(snapshot.sql.split('\n').length)
    expect(filled).toMatchObject({ revisions: snapshot.revisions, file: snapshot.file })
  })
})
