import { exportedFile } from './exported-file.ts'
import { findText, type Format, refuseDown, sideLines } from './format.ts'

/**
 * `<version>_<name>.sql` with both sides. dbmate sends a side as one message, in a transaction unless the side says otherwise, and
 * takes an empty way back for one that has nothing to do.
 */
export const dbmate: Format = {
  sendsFiles: true,
  openSchema: '"{{schema}}"',
  write: (units, schema) =>
    units.map((unit) => {
      const mark = unit.revision.transaction === undefined ? '' : ' transaction:false'
      const down = unit.down ? sideLines(unit, unit.down, schema) : [refuseDown(unit)]
      return exportedFile(unit, `${unit.version}_${unit.name}.sql`, [
        `-- migrate:up${mark}`,
        ...sideLines(unit, unit.up, schema),
        '',
        `-- migrate:down${mark}`,
        ...down,
      ])
    }),
  findFaults: (script) =>
    findText(
      script,
      // Where it stands in its line may change.
      /--\s*migrate:(?:up|down)/g,
      'has what dbmate may take for the beginning of a block',
      'write it in another way',
    ),
}
