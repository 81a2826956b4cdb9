import { query, queryColumn } from './query.ts'

/** Makes a table in which revisions write down that they ran, so that one that ran twice shows. */
export async function createLog(url: string): Promise<void> {
  await query(url, 'create table log (id integer generated always as identity, entry text not null)')
}

/** SQL for a revision. */
export function logEntry(entry: string): string {
  return `insert into log (entry) values ('${entry}');\n`
}

/** What ran, in order. */
export async function readLog(url: string): Promise<readonly string[]> {
  return queryColumn(url, 'select entry from log order by id')
}
