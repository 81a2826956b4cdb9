import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { linearHistory, makeWorkspace, writeDatabase } from '../generate.ts'
import { modulesOfDrover, published } from './install-drover.ts'
import { type BenchRevision, textOf } from './revisions.ts'
import { inTurns, quote, type Tool } from './tool.ts'

const node = quote(process.execPath)

/** psql with everything in one file and one transaction, and no history of what it has done. */
export const psql: Tool = {
  name: 'psql',
  kind: 'floor',
  write: (folder, databases, revisions) => {
    const file = (name: string, text: string) => writeFileSync(join(folder, name), text)
    file('nothing.sql', 'select 1;\n')
    for (const database of databases) {
      file(`${database}-up.sql`, revisions.map(({ up }) => textOf(up)).join('\n'))
      file(
        `${database}-down.sql`,
        revisions
          .toReversed()
          .map(({ down }) => textOf(down))
          .join('\n'),
      )
    }
  },
  up: inTurns(({ name, url }) => psqlLine(`${name}-up.sql`, url)),
  nothing: inTurns(({ url }) => psqlLine('nothing.sql', url)),
  down: inTurns(({ name, url }) => psqlLine(`${name}-down.sql`, url)),
  startUp: 'psql --version',
  forget: '',
}

function psqlLine(file: string, url: string): string {
  return `psql -X -q -v ON_ERROR_STOP=1 -1 -f ${file} ${quote(url)}`
}

const bareScript = join(import.meta.dirname, 'bare-runner.ts')

/** The least that a runner in Node does; see `bare-runner.ts`. */
export const bare: Tool = {
  name: 'bare',
  kind: 'floor',
  write: writeWorkspace,
  up: (places) => bareLine('up', places),
  down: (places) => bareLine('down', places),
  startUp: `${node} ${quote(bareScript)} up`,
  forget: 'drop table if exists bare',
}

function bareLine(direction: 'up' | 'down', places: Parameters<Tool['up']>[0]): string {
  const words = places.flatMap(({ name, url }) => [`databases/${name}/migrations`, quote(url)])
  return [node, quote(bareScript), direction, ...words].join(' ')
}

const program = quote(published)

/** This repository's own, as it is published. */
export const drover: Tool = {
  name: 'drover',
  kind: 'drover',
  write: writeWorkspace,
  up: (places) => migrateLine('upgrade', places),
  down: (places) => migrateLine('downgrade base', places),
  startUp: `${node} ${program} --version`,
  forget: 'drop schema if exists drover cascade',
}

function migrateLine(command: string, places: Parameters<Tool['up']>[0]): string {
  const urls = places.map(({ name, url }) => `${name.toUpperCase()}_DATABASE_URL=${quote(url)}`)
  return [...urls, node, program, command].join(' ')
}

/** A workspace of Drover, whose files the bare script reads too. */
function writeWorkspace(folder: string, databases: readonly string[], revisions: readonly BenchRevision[]): void {
  makeWorkspace(folder, join(modulesOfDrover, '@drover', 'config'))
  const shapes = linearHistory(revisions.length)
  for (const database of databases) {
    writeDatabase(folder, database, shapes, (index) => {
      const { message, up, down } = revisions[index]!
      return { message, up: textOf(up), down: textOf(down) }
    })
  }
}
