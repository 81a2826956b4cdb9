import { hash } from 'node:crypto'

import { readChecksums } from '@drover/engine'
import type { Revision } from '@drover/history'
import { hooksOf } from '@drover/orchestrator'

import manifest from '../../package.json' with { type: 'json' }
import type { Wanted } from '../subject.ts'
import { readModules } from './read-modules.ts'

/**
 * Names everything that decides what is in a template, in hex digits: the revisions with their order and their texts, what their
 * code imports from files beside it, how far they are run and by whom, the hooks and extensions that are declared for the database, and the
 * version of Drover, which makes its own tables there. The version of PostgreSQL is not in it: a template never leaves its server.
 * @throws {DroverError} `REVISION_INVALID` when a file cannot be read
 */
export async function templateKey({ subject, target, owner }: Wanted): Promise<string> {
  const { workspace, database, history, texts } = subject
  const { root } = workspace
  const unread = await readChecksums(
    root,
    history.revisions.filter(({ id }) => !texts.has(id)),
  )
  const hooks = hooksOf(database)
  const code = [
    ...history.revisions.filter(isCode).map(({ folder }) => `${folder}/migration.ts`),
    ...hooks.map(({ file }) => file),
  ]
  const content = {
    version: manifest.version,
    name: database.name,
    target,
    owner: owner?.user,
    revisions: history.revisions.map((revision) => ({
      id: revision.id,
      parents: revision.parents,
      dependsOn: revision.dependsOn,
      labels: revision.labels,
      transaction: revision.transaction,
      batch: revision.batch,
      text: texts.get(revision.id) ?? unread.get(revision.id),
    })),
    hooks,
    modules: [...readModules(root, code)].map(([path, text]) => [path, hash('sha256', text)]),
    extensions: database.config.access?.extensions ?? [],
  }
  return hash('sha256', JSON.stringify(content))
}

function isCode({ language }: Revision): boolean {
  return language === 'typescript'
}
