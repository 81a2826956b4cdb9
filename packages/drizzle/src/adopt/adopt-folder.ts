import { statSync } from 'node:fs'

import { isAlembicFolder, readAlembicFolder } from './alembic.ts'
import { type ConvertSnapshots, type ForeignFolder, type ForeignHistory, refusal } from './foreign-history.ts'
import { isJournalFolder, readJournalFolder } from './journal.ts'
import { isSnapshotFolder, readSnapshotFolders } from './snapshot-folders.ts'

/**
 * Finds out which tool made a folder, and reads its history. Changes nothing.
 * @throws {DroverError} `ADOPTION_REFUSED` when no tool is recognised, or with every irregularity that leaves open
 * what the history is
 */
export async function readForeignHistory(folder: ForeignFolder, convert: ConvertSnapshots): Promise<ForeignHistory> {
  const found = statSync(folder.path, { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw notRecognised(`${folder.shown} ${found ? 'is no folder' : 'does not exist'}`)
  if (isJournalFolder(folder)) return readJournalFolder(folder, convert)
  if (isSnapshotFolder(folder)) return readSnapshotFolders(folder, convert)
  if (isAlembicFolder(folder)) return readAlembicFolder(folder)
  throw notRecognised(`${folder.shown} is no migrations folder of drizzle-kit and none of Alembic`)
}

function notRecognised(message: string): Error {
  return refusal(
    message,
    'name the folder that has meta/_journal.json (drizzle-kit before 1.0), <time>_<name>/migration.sql (drizzle-kit 1.0), or alembic.ini or versions/ (Alembic)',
  )
}
