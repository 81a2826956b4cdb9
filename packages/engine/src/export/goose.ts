import { normalizeStatement } from '../source/statements.ts'
import { exportedFile } from './exported-file.ts'
import { findText, type Format, frameOf, refuseDown } from './format.ts'
import type { ExportedSchema, Side, Unit } from './unit.ts'

/**
 * `<version>_<name>.sql` with both sides. goose cuts them into statements at the ends of lines, unless it is told where one begins and
 * ends; a schema that is not known yet is the variable `SCHEMA` of the environment in which goose runs.
 */
export const goose: Format = {
  sendsFiles: false,
  openSchema: '"${SCHEMA}"',
  write: (units, schema) =>
    units.map((unit) => {
      const { transaction } = unit.revision
      return exportedFile(unit, `${unit.version}_${unit.name}.sql`, [
        ...(transaction === undefined ? [] : ['-- +goose NO TRANSACTION']),
        '-- +goose Up',
        ...sideLines(unit, unit.up, schema),
        '',
        '-- +goose Down',
        ...(unit.down ? sideLines(unit, unit.down, schema) : [together(refuseDown(unit))]),
      ])
    }),
  findFaults: (script) => [
    ...findText(
      script,
      // Where it stands in its line may change.
      /--\s*\+goose\b/gi,
      'has what goose may take for an annotation',
      'write it in another way',
    ),
    ...script.statements
      // Between tokens it makes no difference.
      .filter(({ text }) => normalizeStatement(text).includes('\r'))
      .map(({ start }) => ({
        at: start,
        what: 'has a carriage return in a string or in the body of a function, which goose drops',
        hint: "let the lines of the file end with a line feed alone, or write it as E'\\r'",
      })),
  ],
}

function sideLines(unit: Unit, side: Side, schema: ExportedSchema | undefined): readonly string[] {
  const { before, after } = frameOf(unit, side, schema)
  const set = before.map((text) =>
    // Elsewhere dollars and braces are not to be replaced.
    schema?.isOpen ? `-- +goose ENVSUB ON\n${text}\n-- +goose ENVSUB OFF` : together(text),
  )
  // In the middle of a transaction that it does not know of, goose might change the connection.
  const isOne = unit.revision.transaction === 'own' && side.statements.some((text) => /^(?:begin|start)\b/im.test(text))
  const own = isOne ? [together(side.sql)] : side.statements.map(statement)
  return [...set, ...own, ...after.map(together)].flatMap((text, at) => (at === 0 ? [text] : ['', text]))
}

function statement(text: string): string {
  return isPlain(text) ? text : together(text)
}

/** Whether goose finds the end by itself: the one semicolon is at the end of a line, and nothing looks like a comment before it. */
function isPlain(text: string): boolean {
  const lines = text.split('\n')
  const begin = lines.findIndex((line) => !/^\s*--/.test(line) && line.trim() !== '')
  const body = lines.slice(begin).join('\n')
  return body.indexOf(';') === body.length - 1 && !/--|\/\*/.test(body)
}

function together(text: string): string {
  return `-- +goose StatementBegin\n${text}\n-- +goose StatementEnd`
}
