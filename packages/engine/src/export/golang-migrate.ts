import { exportedFile } from './exported-file.ts'
import { type Format, refuseDown, sideLines } from './format.ts'

/**
 * `<version>_<name>.up.sql` and `.down.sql`. golang-migrate sends a file as one message, which PostgreSQL runs as one transaction,
 * and goes down past a file that is missing. With `x-multi-statement` it would cut files at every semicolon.
 */
export const golangMigrate: Format = {
  sendsFiles: true,
  openSchema: '"{{schema}}"',
  write: (units, schema) =>
    units.flatMap((unit) => {
      const down = unit.down ? sideLines(unit, unit.down, schema) : [refuseDown(unit)]
      return [
        exportedFile(unit, `${unit.version}_${unit.name}.up.sql`, sideLines(unit, unit.up, schema)),
        exportedFile(unit, `${unit.version}_${unit.name}.down.sql`, down),
      ]
    }),
  findFaults: () => [],
}
