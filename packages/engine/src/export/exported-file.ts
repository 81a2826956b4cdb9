import { posix } from 'node:path'

import { comment } from '../run/offline-script.ts'
import { needsOf, type Unit } from './unit.ts'

/** A file for another runner. */
export interface ExportedFile {
  /** Its name, without a folder. */
  readonly name: string
  readonly text: string
  /** The id of the revision that it is made from. Missing where it is made from all of them. */
  readonly revision?: string
}

/** Whether a text is what an export of these migrations has written, by its first line. Edits below it make no difference. */
export function isExported(text: string, migrations: string): boolean {
  const line = /^[^\r\n]*/.exec(text)![0]
  return line.slice(line.startsWith('#') ? 1 : 2) === firstLine(migrations).slice(2)
}

/** By which an export that comes later knows what is its own. */
export function firstLine(migrations: string): string {
  return headLine(`Exported by Drover from ${migrations}, and written anew by the next export.`)
}

/** A file with what it is made from at its head. */
export function exportedFile(
  unit: Unit,
  name: string,
  lines: readonly string[],
  marker: '--' | '#' = '--',
): ExportedFile {
  const { id, folder } = unit.revision
  const needs = needsOf(unit.revision)
  const head = [
    firstLine(posix.dirname(folder)),
    headLine(`Revision ${id}, ${posix.basename(folder)}${needs.length === 0 ? '' : `, after ${needs.join(', ')}`}`),
  ].map((line) => `${marker}${line.slice(2)}`)
  return { name, text: `${[...head, '', ...lines].join('\n')}\n`, revision: id }
}

/** Flyway takes a dollar before a brace for a placeholder, in comments as well. */
function headLine(text: string): string {
  return comment(text).replaceAll('${', '$ {')
}
