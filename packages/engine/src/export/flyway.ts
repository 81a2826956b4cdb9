import type { Script } from '../source/script.ts'
import { readTokens } from '../source/statements.ts'
import { exportedFile, type ExportedFile } from './exported-file.ts'
import { type Fault, type Format, sideLines } from './format.ts'
import type { ExportedSchema, Side, Unit } from './unit.ts'

/**
 * `V<version>__<name>.sql`, and `U<version>__<name>.sql` for the way back, with a `.conf` beside a script that has no transaction or
 * holds what Flyway would take for a placeholder. A schema that is not known yet is the placeholder `schema`. Flyway says itself
 * that there is no way back where the file is missing.
 */
export const flyway: Format = {
  sendsFiles: false,
  openSchema: '"${schema}"',
  write: (units, schema) =>
    units.flatMap((unit) => [
      ...writeSide(unit, 'V', unit.up, schema),
      ...(unit.down ? writeSide(unit, 'U', unit.down, schema) : []),
    ]),
  findFaults: (script, schema) => [...findPlaceholders(script, schema), ...findUnreadable(script)],
}

function writeSide(
  unit: Unit,
  prefix: 'V' | 'U',
  side: Side,
  schema: ExportedSchema | undefined,
): readonly ExportedFile[] {
  const name = `${prefix}${unit.version}__${unit.name}.sql`
  const script = exportedFile(unit, name, sideLines(unit, side, schema))
  const settings = [
    ...(unit.revision.transaction === undefined ? [] : ['executeInTransaction=false']),
    ...(!schema?.isOpen && script.text.includes('${') ? ['placeholderReplacement=false'] : []),
  ]
  return settings.length === 0 ? [script] : [script, exportedFile(unit, `${name}.conf`, settings, '#')]
}

/** Placeholders are on or off for a whole script. */
function findPlaceholders({ sql }: Script, schema: ExportedSchema | undefined): readonly Fault[] {
  const at = sql.indexOf('${')
  if (!schema?.isOpen || at === -1) return []
  const what = 'holds "${", which Flyway takes for a placeholder, as it has to do where the schema is one'
  return [{ at, what, hint: "name the schema, which needs no placeholder: --schema <name>; or write it as '$' || '{'" }]
}

/** Where Flyway's own reader sees other strings and comments than PostgreSQL, and so other statements. */
function findUnreadable({ sql }: Script): readonly Fault[] {
  const faults: Fault[] = []
  let comments = ''
  let from = 0
  for (const { text, start } of readTokens(sql)) {
    comments += `${sql.slice(from, start)}\n`
    from = start + text.length
    if (text === '$') {
      const what = 'has a dollar outside of strings, which Flyway takes for the beginning of one'
      faults.push({
        at: start,
        what,
        hint: 'give parameters names, or write the body of the function between $$ and $$',
      })
    } else if (/^e'/i.test(text) && text.includes(String.raw`\'`)) {
      const what = String.raw`has a string with \' in it, which Flyway takes for its end`
      faults.push({ at: start, what, hint: String.raw`write '' for \'` })
    }
  }
  comments += sql.slice(from)
  const nested = /\/\*(?:(?!\*\/)[^])*?\/\*/.exec(comments)
  if (!nested) return faults
  const hint = 'take the inner comment out'
  return [
    ...faults,
    { at: sql.indexOf(nested[0]), what: 'has a comment in a comment, which Flyway does not read', hint },
  ]
}
