import { findMetaCommand } from '../source/statements.ts'
import { exportedFile, type ExportedFile, firstLine } from './exported-file.ts'
import { type Format, sideLines } from './format.ts'
import type { Side, Unit } from './unit.ts'

/**
 * Plain scripts, `<version>_<name>.up.sql` and `.down.sql`, and `upgrade.sql`, by which psql runs all of them from an empty database.
 * Whoever runs a script gives it a transaction, unless it says that it has none.
 */
export const sql: Format = {
  sendsFiles: false,
  openSchema: '"{{schema}}"',
  write: (units, schema, migrations) => [
    ...units.flatMap((unit) => {
      const note = notes[unit.revision.transaction ?? 'one']
      const lines = (side: Side) => [...note, ...sideLines(unit, side, schema)]
      return [
        exportedFile(unit, fileOf(unit), lines(unit.up)),
        ...(unit.down ? [exportedFile(unit, `${unit.version}_${unit.name}.down.sql`, lines(unit.down))] : []),
      ]
    }),
    writeAll(units, migrations),
  ],
  findFaults: (script) => {
    const at = findMetaCommand(script.sql)
    if (at === undefined) return []
    const what = 'has a backslash outside of any string, which psql takes for a command of its own'
    return [{ at, what, hint: 'remove it: SQL has no use for it there' }]
  },
}

const notes = {
  one: [],
  none: ['-- Without a transaction, statement by statement.'],
  own: ['-- Without a transaction: it begins and ends its own.'],
} as const

function writeAll(units: readonly Unit[], migrations: string): ExportedFile {
  const text = `${firstLine(migrations)}
-- All revisions from an empty database: psql -X -f upgrade.sql <url>

\\set ON_ERROR_STOP on
set client_encoding = 'UTF8';
${units.map((unit) => `\n${writeStep(unit)}`).join('')}`
  return { name: 'upgrade.sql', text }
}

/** Names of files need no quotes: see `nameOf`. */
function writeStep(unit: Unit): string {
  const include = `\\ir ${fileOf(unit)}\n`
  return unit.revision.transaction === undefined ? `begin;\n${include}commit;\n` : include
}

function fileOf({ version, name }: Unit): string {
  return `${version}_${name}.up.sql`
}
