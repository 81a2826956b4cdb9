import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A revision to write: the numbers of its parents, from 0. */
export interface Shape {
  readonly parents: readonly number[]
}

/** What a revision does, as SQL. */
export interface Change {
  readonly message: string
  readonly up: string
  readonly down: string
}

/** `count` revisions, each after the one before. */
export function linearHistory(count: number): readonly Shape[] {
  return Array.from({ length: count }, (_, index) => ({ parents: index === 0 ? [] : [index - 1] }))
}

/**
 * `count` revisions of which `merges` join two arms that began at the same revision: a team that works on branches and
 * merges them all the time. The arms are as long as that leaves room for.
 */
export function branchingHistory(count: number, merges: number): readonly Shape[] {
  const shapes: Shape[] = [{ parents: [] }]
  for (let merge = 0; merge < merges; merge += 1) {
    const start = shapes.length - 1
    // What is left is spread over the merges that are left; at least one revision for each arm.
    const room = Math.max(2, Math.floor((count - shapes.length) / (merges - merge)) - 1)
    const ends = [Math.ceil(room / 2), Math.floor(room / 2)].map((length) => {
      let end = start
      for (let step = 0; step < length; step += 1) end = shapes.push({ parents: [end] }) - 1
      return end
    })
    shapes.push({ parents: ends })
  }
  while (shapes.length < count) shapes.push({ parents: [shapes.length - 1] })
  return shapes
}

/**
 * Makes a workspace without databases.
 * @param config the folder of `@drover/config`, which `database.ts` finds as it would in a real installation. Default: its sources
 */
export function makeWorkspace(root: string, config = join(import.meta.dirname, '..', 'packages', 'config')): void {
  mkdirSync(join(root, 'node_modules', '@drover'), { recursive: true })
  writeFileSync(join(root, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  symlinkSync(config, join(root, 'node_modules', '@drover', 'config'))
}

/** Writes a database package with such a history into a workspace. By default each revision changes a table in a few lines. */
export function writeDatabase(
  root: string,
  name: string,
  shapes: readonly Shape[],
  changeOf: (index: number) => Change = addColumn,
): void {
  const folder = join(root, 'databases', name)
  mkdirSync(join(folder, 'migrations'), { recursive: true })
  writeFileSync(
    join(folder, 'database.ts'),
    `import { defineDatabase } from '@drover/config'\n\nexport default defineDatabase({ name: '${name}' })\n`,
  )
  for (const [index, { parents }] of shapes.entries()) {
    const { message, up, down } = changeOf(index)
    const created = createdAt(index).toISOString().replace('.000Z', 'Z')
    const stamp = created.slice(0, 19).replaceAll(/[-:T]/g, '')
    const path = join(folder, 'migrations', `${stamp}_${message.replaceAll(' ', '_')}`)
    mkdirSync(path)
    const record = { id: idOf(index), parents: parents.map(idOf), message, created }
    writeFileSync(join(path, 'revision.json'), `${JSON.stringify(record, null, 2)}\n`)
    writeFileSync(join(path, 'migration.sql'), up)
    writeFileSync(join(path, 'down.sql'), down)
  }
}

/** When the revision with that number was made: a minute after the one before. */
export function createdAt(index: number): Date {
  return new Date(Date.UTC(2020, 0, 1) + index * 60_000)
}

function addColumn(index: number): Change {
  const table = `part_${index % 100}`
  return {
    message: `add column ${index}`,
    up: `-- Step ${index} of the history.\ncreate table if not exists ${table} (\n  id bigint primary key\n);\nalter table ${table}\n  add column if not exists column_${index} text not null default '';\n`,
    down: `alter table ${table}\n  drop column if exists column_${index};\n`,
  }
}

/** The id of the revision with that number: without an order of its own, as real ids are. */
export function idOf(index: number): string {
  return createHash('sha256').update(String(index)).digest('hex').slice(0, 12)
}
