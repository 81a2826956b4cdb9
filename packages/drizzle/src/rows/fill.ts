import { quoteIdentifier, quoteLiteral } from '@drover/engine'
import * as v from 'valibot'

import { tableName } from './candidates.ts'
import type { RowValues } from './choose-rows.ts'
import type { Turn } from './order.ts'
import type { TableShape } from './table-shape.ts'

/** What came of filling a table. */
export const filling = v.object({
  /** For each row wanted, which of its choices it is; null where the server took none. */
  chosen: v.array(v.nullable(v.number())),
  /** What the server said of the first row that it refused. */
  reason: v.nullable(v.string()),
})

/** How rows are inserted. */
export interface FillingOptions {
  /** `off`: the triggers of users are switched off meanwhile. */
  readonly triggers: 'on' | 'off'
  /** `deferred`: those that may be are checked at the end of the transaction, and refuse all of it, not a row. */
  readonly constraints: 'immediate' | 'deferred'
}

/**
 * Writes one message that inserts rows: of each slot the first choice that the server takes. The rows of its last result have a
 * `filling` in `outcome`, as JSON.
 */
export function writeFilling(
  table: TableShape,
  slots: readonly (readonly RowValues[])[],
  { triggers, constraints }: FillingOptions,
): string {
  const inserts = slots.map((choices) => choices.map((row) => writeInsert(table, row)))
  const body = `
declare
  slot jsonb;
  insertion text;
  place int;
  arrived int;
  taken int;
  chosen jsonb := '[]';
  reason text;
begin
  for slot in select * from jsonb_array_elements(${quoteLiteral(JSON.stringify(inserts))}::jsonb) loop
    taken := null;
    for insertion, place in select value, ordinality - 1 from jsonb_array_elements_text(slot) with ordinality loop
      begin
        execute insertion;
        get diagnostics arrived = row_count;
        if arrived > 0 then
          taken := place;
          exit;
        end if;
        reason := coalesce(reason, 'an insert was accepted and left no row: a trigger or a rule keeps it out');
      exception when others then
        reason := coalesce(reason, sqlerrm);
      end;
    end loop;
    chosen := chosen || jsonb_build_array(taken);
  end loop;
  perform set_config('drover.outcome', jsonb_build_object('chosen', chosen, 'reason', reason)::text, true);
end`
  const switchTriggers = (side: 'disable' | 'enable') =>
    triggers === 'off'
      ? table.triggers.map((trigger) => `alter table ${tableName(table)} ${trigger[side]};\n`).join('')
      : ''
  return [
    constraints === 'immediate' ? 'set constraints all immediate;\n' : '',
    switchTriggers('disable'),
    `do ${quoteLiteral(body)};\n`,
    switchTriggers('enable'),
    `select current_setting('drover.outcome') as outcome`,
  ].join('')
}

/**
 * Writes a message that gives one row of each table a reference into a cycle, which had to be null at first. Where the server
 * does not want it, the reference stays null.
 */
export function writeLateReferences(
  turns: readonly Turn[],
  tables: ReadonlyMap<string, TableShape>,
): string | undefined {
  const updates = turns.flatMap(({ table, later }) =>
    later.flatMap((key) => {
      if (key.table === table.oid) return []
      const parent = tables.get(key.table)
      const pairs = key.columns.map((column, index) => ({ column, referenced: key.references[index] ?? '' }))
      const isNull = ({ column }: { readonly column: string }) =>
        table.columns.some(({ name, notNull }) => name === column && !notNull)
      const changing = pairs.filter(isNull)
      if (!parent || changing.length === 0) return []
      const conditions = [
        ...changing.map(({ column }) => `referring.${quoteIdentifier(column)} is null`),
        ...pairs
          .filter((pair) => !isNull(pair))
          .map(
            ({ column, referenced }) =>
              `referring.${quoteIdentifier(column)} = referenced.${quoteIdentifier(referenced)}`,
          ),
        ...changing.map(({ referenced }) => `referenced.${quoteIdentifier(referenced)} is not null`),
      ]
      return [
        `update ${tableName(table)} as changing set ${changing.map(({ column }, index) => `${quoteIdentifier(column)} = pair.value_${index}`).join(', ')}
from (
  select referring.tableoid as place_table, referring.ctid as place, ${changing.map(({ referenced }, index) => `referenced.${quoteIdentifier(referenced)} as value_${index}`).join(', ')}
  from ${tableName(table)} as referring, ${parent.partitioned ? '' : 'only '}${tableName(parent)} as referenced
  where ${conditions.join(' and ')}
  order by referring.tableoid, referring.ctid, referenced.tableoid, referenced.ctid
  limit 1
) as pair
where changing.tableoid = pair.place_table and changing.ctid = pair.place`,
      ]
    }),
  )
  if (updates.length === 0) return undefined
  const body = `
declare
  change text;
begin
  for change in select * from jsonb_array_elements_text(${quoteLiteral(JSON.stringify(updates))}::jsonb) loop
    begin
      execute change;
    exception when others then
      null;
    end;
  end loop;
end`
  return `set constraints all immediate;\ndo ${quoteLiteral(body)}`
}

function writeInsert(table: TableShape, row: RowValues): string {
  const entries = Object.entries(row)
  if (entries.length === 0) return `insert into ${tableName(table)} default values`
  const columns = entries.map(([column]) => quoteIdentifier(column)).join(', ')
  const values = entries.map(([, value]) => (value === null ? 'null' : quoteLiteral(value))).join(', ')
  return `insert into ${tableName(table)} (${columns}) values (${values})`
}
