import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { draftWayBack, findKitRevisions, type Kit, type Proof, readKitRevision, startKit } from '@drover/drizzle'
import { completeRevision, readHistory, type Source } from '@drover/engine'
import { type History, nameRevision, type Problem, type Revision, scriptFile } from '@drover/history'

import type { ExitCode } from '../exit-code.ts'
import { madeJson } from '../render/revision.ts'
import { describeProof, notProved } from '../render/proof.ts'
import type { Session } from '../session.ts'
import type { RevisionOptions } from './make-revision.ts'

/**
 * Completes the folders that drizzle-kit has written into the migrations of databases: each gets a `revision.json`, and a way
 * back that has been proved unless it has one already. Its `migration.sql` stays as it is.
 */
export async function adoptKitRevisions(session: Session, options: RevisionOptions): Promise<ExitCode> {
  const { workspace, selected } = await session.workspace({ mirrors: false })
  const subjects = selected.flatMap((database) => {
    const source = { root: workspace.root, folder: database.migrations }
    const history = readHistory(source)
    return findKitRevisions(source, history).map((revision) => ({ name: database.name, source, history, revision }))
  })
  if (subjects.length === 0) {
    session.print('nothing to adopt: every revision has its revision.json')
    return session.finish({ databases: selected.map(({ name }) => ({ name, revisions: [] })) })
  }
  await using kit = startKit(workspace.root)
  const server = options.proof === false ? undefined : await session.shadowServer(workspace)
  const adopted: Adopted[] = []
  for (const { name, source, history, revision } of subjects) {
    session.progress(`${name}: looking for the way back from ${nameRevision(revision)}`, name)
    const proof = await complete(kit, source, history, revision, server)
    adopted.push({ name, revision, proof })
    const file = scriptFile(revision, 'down')
    session.print(
      `${name}: adopted ${nameRevision(revision)}`,
      `  ${revision.folder}`,
      `  ${proof === undefined ? `${file} was there, and was left as it is` : describeProof(proof)}`,
    )
  }
  const databases = selected.map(({ name }) => ({
    name,
    revisions: adopted
      .filter((one) => one.name === name)
      .map(({ revision, proof }) => ({ ...madeJson(revision), ...(proof && { proof: proof.kind }) })),
  }))
  return session.finish({ databases }, adopted.flatMap(problemOf))
}

interface Adopted {
  readonly name: string
  readonly revision: Revision
  /** Missing when it had a way back. */
  readonly proof: Proof | undefined
}

async function complete(
  kit: Kit,
  source: Source,
  history: History,
  revision: Revision,
  server: string | undefined,
): Promise<Proof | undefined> {
  if (existsSync(join(source.root, scriptFile(revision, 'down')))) {
    completeRevision(source, revision, {})
    return undefined
  }
  const { proof, ...way } = await draftWayBack(
    kit,
    source,
    await readKitRevision(kit, source, history, revision),
    server,
  )
  completeRevision(source, revision, { ...way, ...(proof.kind === 'none' && { proof: 'none' }) })
  return proof
}

function problemOf({ name, revision, proof }: Adopted): readonly Problem[] {
  return proof?.kind === 'unproved' ? [notProved(name, revision, 'down', proof.reason)] : []
}
