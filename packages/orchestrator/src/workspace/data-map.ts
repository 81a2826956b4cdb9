import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { ClassifiedColumn } from '@drover/config'
import { parsePersonalData } from '@drover/config/parse'
import { DroverError, type Problem, throwProblems } from '@drover/history'

import type { Database } from './discover.ts'

/** What a database declares about the personal data in its columns. */
export interface DataMap {
  /** The file that declares it, from the root. */
  readonly file: string
  readonly columns: readonly ClassifiedColumn[]
}

/** A column as a data map names it: its table with the schema where that is not `public`. */
export interface TableColumn {
  readonly table: string
  readonly column: string
}

/**
 * Loads the data map of a database.
 * @returns `undefined` when its `database.ts` names none
 * @throws {DroverError} `CONFIG_INVALID` with everything that is wrong in the file
 */
export async function loadDataMap(root: string, { folder, config }: Database): Promise<DataMap | undefined> {
  if (config.personalData === undefined) return undefined
  const file = posix.join(folder, config.personalData)
  const invalid = (fault: string): Problem => ({
    code: 'CONFIG_INVALID',
    file,
    message: `${file}: ${fault}`,
    hint: `correct ${file}`,
  })
  const result = parsePersonalData(await importMap(root, file, invalid))
  if (result.ok) return { file, columns: result.columns }
  throwProblems(result.faults.map(invalid))
  return undefined
}

/** What a data map says nothing about, and what it says of columns that are not there. */
export function findUnclassified(
  { file, columns: classified }: DataMap,
  columns: readonly TableColumn[],
): readonly Problem[] {
  const known = new Set(classified.map(nameOf))
  const there = new Set(columns.map(nameOf))
  return [
    ...[...there.difference(known)].map((name): Problem => ({
      code: 'COLUMN_UNCLASSIFIED',
      file,
      message: `${file} does not say whether ${name} holds personal data`,
      hint: `classify ${name} in ${file}`,
    })),
    ...[...known.difference(there)].map((name): Problem => ({
      code: 'COLUMN_GONE',
      file,
      message: `${file} classifies ${name}, and there is no such column`,
      hint: `remove ${name} from ${file}`,
    })),
  ]
}

function nameOf({ table, column }: TableColumn): string {
  return `${table}.${column}`
}

async function importMap(root: string, file: string, invalid: (fault: string) => Problem): Promise<unknown> {
  try {
    const module: unknown = await import(pathToFileURL(join(root, file)).href)
    return typeof module === 'object' && module !== null && 'personalData' in module ? module.personalData : undefined
  } catch (error) {
    const problem = invalid(`cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
    throw new DroverError(problem, { cause: error })
  }
}
