import { readHistory } from '@drover/engine'
import {
  type Ambiguity,
  compareSchema,
  type DraftPlace,
  draftRevisions,
  type DraftedRevision,
  type Kit,
  parseRename,
  type RenameChoice,
  type RenameOption,
  type SchemaComparison,
  writeDrafts,
} from '@drover/drizzle'
import { DroverError, type History, type Problem, type Revision, throwProblems } from '@drover/history'
import { type Database, problemsOf, type Workspace } from '@drover/orchestrator'

import type { ExitCode } from '../exit-code.ts'
import { type Interruption, interruptible, throwIfInterrupted } from '../interruption.ts'
import { type Placement, type PlacementOptions, placeRevision } from '../placement.ts'
import { describeProof, notProved } from '../render/proof.ts'
import { describeMade, madeJson } from '../render/revision.ts'
import { schemaFileOf } from '../schema-file.ts'
import type { Session } from '../session.ts'
import type { RevisionOptions } from './make-revision.ts'

/** What to generate. */
export interface Generation {
  readonly kit: Kit
  readonly workspace: Workspace
  readonly databases: readonly Database[]
  readonly placement: PlacementOptions
  readonly message: string
}

/**
 * Compares the Drizzle schema of each database with its history, and writes a proved revision for each that has changed.
 * Everything is worked out before the first file is written. A database whose revision cannot be written is told of beside the
 * others, which get theirs.
 */
export async function generateRevisions(
  session: Session,
  options: RevisionOptions,
  generation: Generation,
): Promise<ExitCode> {
  const onSignal = () => session.progress('stopping: what is being tried is finished first, and its shadows dropped')
  return interruptible(session, { onSignal }, (interruption) => generate(session, options, generation, interruption))
}

async function generate(
  session: Session,
  options: RevisionOptions,
  generation: Generation,
  interruption: Interruption,
): Promise<ExitCode> {
  const { kit, workspace, message } = generation
  const subjects = findSubjects(generation)
  const choices = readChoices(options, subjects)
  // Asked for all at once, so that drizzle-kit never waits for files to be read; questions come one after the other.
  const first = await Promise.all(subjects.map((subject) => compare(kit, subject, choices.get(subject.database.name)!)))
  const compared: Compared[] = []
  for (const one of first) compared.push(await clarify(session, kit, one))
  throwProblems(findRefusals(compared, message))

  const changed = compared.flatMap(({ subject, comparison }) =>
    comparison.kind === 'changed' ? [{ subject, change: comparison.change }] : [],
  )
  const shadowServer = changed.length > 0 && options.proof !== false ? await session.shadowServer(workspace) : undefined
  const drafted: Drafted[] = []
  for (const { subject, change } of changed) {
    const { name } = subject.database
    const revisions = await draftRevisions(kit, change, {
      ...(shadowServer !== undefined && { shadowServer }),
      concurrently: options.concurrently === true,
      onProgress: (what) => {
        throwIfInterrupted(interruption)
        session.progress(`${name}: ${what}`, name)
      },
    })
    drafted.push({ subject, revisions })
  }
  throwIfInterrupted(interruption)
  const { phase } = options
  const place = { message, created: new Date(), ...(phase && { phase }) }
  return report(
    session,
    compared,
    drafted.map((one) => write(one, place)),
  )
}

/** A database whose schema is compared, and where a revision of it would hang. */
interface Subject {
  readonly database: Database
  readonly source: { readonly root: string; readonly folder: string }
  readonly history: History
  readonly placement: Placement
  readonly schema: string
}

interface Compared {
  readonly subject: Subject
  readonly choice: RenameChoice
  readonly comparison: SchemaComparison
}

interface Drafted {
  readonly subject: Subject
  readonly revisions: readonly DraftedRevision[]
}

interface Written extends Drafted {
  readonly written: readonly Revision[]
}

/** A database that is as it was. */
interface Unwritten {
  readonly subject: Subject
  readonly problems: readonly Problem[]
}

function findSubjects({ workspace, databases, placement, message }: Generation): readonly Subject[] {
  const withSchema = databases.flatMap((database) => {
    const schema = schemaFileOf(database)
    return schema === undefined ? [] : [{ database, schema }]
  })
  if (withSchema.length === 0) {
    const names = databases.map((database) => database.name)
    throw new DroverError({
      code: 'USAGE',
      message: `${names.join(', ')}: there is no Drizzle schema to make a revision from`,
      hint: `name one in database.ts (schema: './src/schema/index.ts'), or write the SQL yourself: pnpm migrate revision ${JSON.stringify(message)} --empty -d ${names[0]}`,
    })
  }
  const problems: Problem[] = []
  const subjects = withSchema.flatMap(({ database, schema }): readonly Subject[] => {
    const source = { root: workspace.root, folder: database.migrations }
    try {
      const history = readHistory(source)
      return [{ database, source, history, schema, placement: placeRevision(workspace, database, history, placement) }]
    } catch (error) {
      if (!(error instanceof DroverError)) throw error
      problems.push(...error.problems.map((problem) => ({ ...problem, database: database.name })))
      return []
    }
  })
  throwProblems(problems)
  return subjects
}

/** The rename options for each database: those for it alone, `<database>/old=new`, and those for whichever they fit. */
function readChoices(options: RevisionOptions, subjects: readonly Subject[]): ReadonlyMap<string, RenameChoice> {
  const texts = (options.renames ?? []).map((text) => {
    const slash = text.indexOf('/')
    const named = subjects.find(({ database }) => answersTo(database, text.slice(0, slash)))
    return named ? { database: named.database.name, text: text.slice(slash + 1) } : { database: undefined, text }
  })
  const parsed = texts.map(({ database, text }) => ({ database, result: parseRename(text) }))
  throwProblems(parsed.flatMap(({ result }) => (result.ok ? [] : [result.problem])))
  return new Map(
    subjects.map(({ database }) => {
      const renames = parsed.flatMap(({ database: only, result }): readonly RenameOption[] =>
        result.ok && (only === undefined || only === database.name) ? [result.option] : [],
      )
      return [database.name, { renames, created: [], noRename: options.allNew === true }]
    }),
  )
}

function answersTo({ name, config }: Database, text: string): boolean {
  return name === text || config.aliases.includes(text)
}

async function compare(kit: Kit, subject: Subject, choice: RenameChoice): Promise<Compared> {
  const { database, source, history, placement, schema } = subject
  const target = { source, history, parents: placement.parents, schema, objects: database.objects }
  return { subject, choice, comparison: await compareSchema(kit, target, choice) }
}

/** On a terminal, asks what drizzle-kit cannot know. */
async function clarify(session: Session, kit: Kit, compared: Compared): Promise<Compared> {
  let known = compared
  for (;;) {
    const { subject, choice, comparison } = known
    if (comparison.kind !== 'ambiguous' || !session.io.choose || session.options.json || session.isLogged) return known
    // One at a time: what an answer takes is no longer there for the next question.
    const answered = await ask(session, subject.database, comparison.ambiguities[0]!, choice)
    known = await compare(kit, subject, answered)
  }
}

async function ask(
  session: Session,
  database: Database,
  { question, added, candidates }: Ambiguity,
  choice: RenameChoice,
): Promise<RenameChoice> {
  const answer = await session.io.choose!(`${database.name}: where does the ${added} come from?`, [
    'it is new',
    ...candidates.map(({ removed }) => `it was the ${removed}, and keeps what is in it`),
  ])
  const renamed = candidates[answer - 1]
  const parsed = renamed && parseRename(renamed.text)
  return parsed?.ok
    ? { ...choice, renames: [...choice.renames, parsed.option] }
    : { ...choice, created: [...choice.created, question] }
}

/** Everything that keeps any of the databases from getting its revision: then none gets one. */
function findRefusals(compared: readonly Compared[], message: string): readonly Problem[] {
  const own = compared.flatMap(({ subject, comparison }) => {
    const { name } = subject.database
    if (comparison.kind === 'refused') return comparison.problems.map((problem) => ({ ...problem, database: name }))
    if (comparison.kind !== 'ambiguous') return []
    return comparison.ambiguities.map((ambiguity) => ambiguousProblem(name, ambiguity, message))
  })
  return [...own, ...findUnmeant(compared)]
}

/** Rename options that fit none of the databases that they were given to. */
function findUnmeant(compared: readonly Compared[]): readonly Problem[] {
  const problems = new Map<string, Problem>()
  const meant = new Set<string>()
  for (const { choice, comparison } of compared) {
    const unresolved = new Map(comparison.unresolved.map(({ option, problem }) => [option.text, problem]))
    for (const { text } of choice.renames) {
      const problem = unresolved.get(text)
      if (problem) problems.set(text, problem)
      else meant.add(text)
    }
  }
  return [...problems].filter(([text]) => !meant.has(text)).map(([, problem]) => problem)
}

function ambiguousProblem(database: string, { added, candidates }: Ambiguity, message: string): Problem {
  const ways = candidates.map(({ option, removed }) => `${option} (it was the ${removed})`)
  return {
    code: 'RENAME_AMBIGUOUS',
    database,
    message: `the ${added} may be new, or something that is gone under another name`,
    hint: `add one of these to: pnpm migrate revision ${JSON.stringify(message)} -d ${database}\n  ${[...ways, '--no-rename (everything that is new is new)'].join('\n  ')}`,
  }
}

function write(drafted: Drafted, what: Pick<DraftPlace, 'message' | 'created' | 'phase'>): Written | Unwritten {
  const { subject, revisions } = drafted
  const { database, source, history, placement } = subject
  try {
    return { ...drafted, written: writeDrafts(source, history, { ...placement, ...what }, revisions) }
  } catch (error) {
    return { subject, problems: problemsOf(error, database.name) }
  }
}

function report(session: Session, compared: readonly Compared[], results: readonly (Written | Unwritten)[]): ExitCode {
  const all = results.filter((result) => 'written' in result)
  const failed = results.filter((result) => 'problems' in result)
  const made = new Map(all.map((one) => [one.subject, one]))
  const bodies = compared.map(({ subject, comparison }) => {
    const one = made.get(subject)
    const changed = comparison.kind === 'changed'
    const { name } = subject.database
    if (one) session.print(...describeWritten(one))
    else if (changed) session.print(`${name}: the schema has changed, and no revision was made`)
    else session.print(`${name}: the schema is as the history has it`)
    const revisions = one
      ? eachOf(one).map(({ revision, draft }) => ({ ...madeJson(revision), ...proofJson(draft) }))
      : []
    return { name, changed, revisions }
  })
  if (results.length === 0) session.print('nothing has changed: no revision was made')
  const problems = [...failed.flatMap((one) => one.problems), ...all.flatMap(findUnproved)]
  // What was written is there, so this is no refusal of all of it.
  const exitCode = failed.length > 0 && all.length > 0 ? 1 : undefined
  return session.finish({ databases: bodies }, problems, exitCode)
}

function eachOf({
  revisions,
  written,
}: Written): readonly { readonly revision: Revision; readonly draft: DraftedRevision }[] {
  return revisions.map((draft, index) => ({ draft, revision: written[index]! }))
}

function describeWritten(one: Written): readonly string[] {
  const { database, history } = one.subject
  return eachOf(one).flatMap(({ revision, draft }) => [
    ...describeMade(database.name, revision, history.heads.length),
    `  ${revision.folder}`,
    `  ${describeProof(draft.proof)}`,
    ...(draft.transaction === 'none' ? ['  runs outside a transaction, statement by statement'] : []),
    ...draft.losses.map((loss) => `  loses: ${loss}`),
    ...(draft.proof.kind === 'proved' ? draft.proof.notes.map((note) => `  ${note}`) : []),
  ])
}

function proofJson({ proof, losses, transaction }: DraftedRevision): Readonly<Record<string, unknown>> {
  const { kind, ...rest } = proof
  return { proof: kind, ...rest, losses, transaction: transaction ?? 'per-revision' }
}

function findUnproved(one: Written): readonly Problem[] {
  return eachOf(one).flatMap(({ revision, draft: { proof } }) =>
    proof.kind === 'unproved' ? [notProved(one.subject.database.name, revision, proof.side, proof.reason)] : [],
  )
}
