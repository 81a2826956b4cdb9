import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

import { unfilledMarker } from '@drover/engine'
import { faultOfLabel, findCircle, isRevisionId, type Problem, sortTopologically, throwProblems } from '@drover/history'

import {
  deriveId,
  folderNameOf,
  type ForeignFiles,
  type ForeignFolder,
  type ForeignHistory,
  type ForeignRevision,
  irregularity,
  refusal,
} from './foreign-history.ts'
import { type PythonValue, readPythonModule } from './python.ts'

/** Whether a folder is one of Alembic: that of `alembic.ini`, that of `env.py`, or `versions` itself. */
export function isAlembicFolder(folder: ForeignFolder): boolean {
  return findVersions(folder).length > 0
}

/**
 * Reads the revision files of Alembic. Nothing in them is run: the graph is in the names that every one of them assigns. What
 * a revision did is not taken over, because only Python could say it: its files are left to be filled in, and refuse to run.
 * @throws {DroverError} `ADOPTION_REFUSED` with everything that leaves open what the history is
 */
export function readAlembicFolder(folder: ForeignFolder): ForeignHistory {
  const read = findVersions(folder).flatMap(({ path, shown }) =>
    listScripts(path).map((name) => readScript(path, shown, name)),
  )
  throwProblems(read.flatMap((one) => ('problems' in one ? one.problems : [])))
  const scripts = read.flatMap((one) => ('problems' in one ? [] : [one]))
  throwProblems([...findDuplicates(scripts), ...findLostParents(scripts), ...findLostDependencies(scripts)])
  const byId = new Map(scripts.map((script) => [script.revision, script]))
  const nodes = scripts.map((script) => ({
    id: script.revision,
    after: [...script.parents, ...script.dependsOn.map((name) => findDependency(scripts, name)!.revision)],
  }))
  const circle = findCircle(nodes)
  if (circle) {
    throw refusal(
      `${folder.shown}: these revisions come after each other in a circle: ${circle.join(', ')}`,
      'correct down_revision or depends_on in one of them',
    )
  }
  const inOrder = sortTopologically(nodes).sorted.map((id) => byId.get(id)!)
  return { tool: 'Alembic', revisions: toRevisions(scripts, inOrder), warnings: findUnusableLabels(scripts) }
}

/** The id that a revision of Alembic has here: its own where that is one, as it mostly is. */
export function idOfAlembic(revision: string): string {
  return isRevisionId(revision) ? revision : deriveId(revision)
}

interface Script {
  /** As messages name it. */
  readonly file: string
  readonly revision: string
  readonly parents: readonly string[]
  /** Revisions, abbreviations of them, or labels. */
  readonly dependsOn: readonly string[]
  readonly labels: readonly string[]
  readonly message: string
  readonly created: Date | undefined
  /** Whether neither side does anything, as of most merges. */
  readonly isEmpty: boolean
}

function findVersions(folder: ForeignFolder): readonly ForeignFolder[] {
  const ini = join(folder.path, 'alembic.ini')
  const configured = existsSync(ini) ? locationsOf(readFileSync(ini, 'utf8'), folder) : []
  const candidates = [...configured, below(folder, 'versions'), folder]
  const withScripts = candidates.filter(
    ({ path }) => isFolder(path) && listScripts(path).some((name) => isRevision(path, name)),
  )
  return configured.length > 0 ? withScripts.filter((one) => configured.includes(one)) : withScripts.slice(0, 1)
}

/** Where `alembic.ini` says that revisions are. */
function locationsOf(ini: string, folder: ForeignFolder): readonly ForeignFolder[] {
  const setting = (name: string) =>
    new RegExp(`^${name}[ \\t]*[=:][ \\t]*(\\S.*)$`, 'm').exec(ini)?.[1]?.trim().replaceAll('%(here)s', '.')
  const versions = setting('version_locations')
  const places = versions?.split(/[\s,:;]+/) ?? [`${setting('script_location') ?? 'alembic'}/versions`]
  return places.filter(Boolean).map((place) => below(folder, place.replace(/^(?:\.\/)+/, '')))
}

function below({ path, shown }: ForeignFolder, place: string): ForeignFolder {
  return { path: resolve(path, place), shown: `${shown}/${place}` }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function listScripts(path: string): readonly string[] {
  return readdirSync(path)
    .filter((name) => name.endsWith('.py') && name !== '__init__.py' && name !== 'env.py')
    .toSorted()
}

function isRevision(path: string, name: string): boolean {
  return readPythonModule(readFileSync(join(path, name), 'utf8'), ['revision']).values.has('revision')
}

function readScript(path: string, shown: string, name: string): Script | { readonly problems: readonly Problem[] } {
  const file = `${shown}/${name}`
  const source = readFileSync(join(path, name), 'utf8')
  const { docstring = '', values } = readPythonModule(source, fields)
  const unreadable = fields
    .filter((field) => values.has(field) && values.get(field) === undefined)
    .map((field) =>
      irregularity(
        `${file}: ${field} is worked out by Python, and nothing of the file is run here`,
        `write the value itself: ${field} = '…'`,
      ),
    )
  if (unreadable.length > 0) return { problems: unreadable }
  const [revision, ...more] = listOf(values.get('revision'))
  if (revision === undefined || more.length > 0) {
    const problem = irregularity(
      `${file} does not say its revision: Alembic refuses such a file too`,
      "move the file away, or write revision = '…' into it",
    )
    return { problems: [problem] }
  }
  const time = /^Create Date:\s*(\S.*?)\s*$/m.exec(docstring)?.[1]
  const message = docstring
    .trim()
    .split(/\r?\n[ \t]*\r?\n/)[0]!
    .replaceAll(/\s+/g, ' ')
  return {
    file,
    revision,
    parents: listOf(values.get('down_revision')),
    dependsOn: listOf(values.get('depends_on')),
    labels: listOf(values.get('branch_labels')),
    message: message === '' || message.startsWith('Revision ID:') ? basename(name, '.py') : message,
    created: time === undefined ? undefined : toTime(time),
    isEmpty: doesNothing(source, 'upgrade') && doesNothing(source, 'downgrade'),
  }
}

const fields = ['revision', 'down_revision', 'branch_labels', 'depends_on']

function listOf(value: PythonValue | undefined): readonly string[] {
  const items = typeof value === 'string' || value === null || value === undefined ? [value] : value
  return items.filter((item): item is string => typeof item === 'string')
}

/** Alembic writes local time without saying which, unless it is configured to. */
function toTime(text: string): Date | undefined {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text)
  const time = new Date(`${text.replace(' ', 'T')}${hasZone ? '' : 'Z'}`)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function doesNothing(source: string, name: string): boolean {
  return new RegExp(
    `^def ${name}\\(\\)[^:\\n]*:[ \\t]*(?:\\r?\\n[ \\t]+(?:"""[^"]*"""|#[^\\n]*))*\\s*pass\\s*(?:#[^\\n]*\\s*)*(?=\\ndef |$(?![^]))`,
    'm',
  ).test(source)
}

function findDuplicates(scripts: readonly Script[]): readonly Problem[] {
  return [...Map.groupBy(scripts, ({ revision }) => idOfAlembic(revision))]
    .filter(([, group]) => group.length > 1)
    .map(([, group]) =>
      irregularity(
        `${group.map(({ file }) => file).join(' and ')} are both revision ${group[0]!.revision}: Alembic takes the one that it reads last, and only warns`,
        'find out which one the databases have had, and move the other away',
      ),
    )
}

function findLostParents(scripts: readonly Script[]): readonly Problem[] {
  const known = new Set(scripts.map(({ revision }) => revision))
  return scripts.flatMap(({ file, parents }) =>
    parents
      .filter((parent) => !known.has(parent))
      .map((parent) =>
        irregularity(
          `${file} comes after revision ${parent}, and no file is that revision`,
          'bring the file back from version control',
        ),
      ),
  )
}

function findLostDependencies(scripts: readonly Script[]): readonly Problem[] {
  return scripts.flatMap(({ file, dependsOn }) =>
    dependsOn
      .filter((name) => !findDependency(scripts, name))
      .map((name) =>
        irregularity(
          `${file} depends on "${name}", which is no revision, no label, and not the beginning of one revision alone`,
          'write the full id of the revision into depends_on',
        ),
      ),
  )
}

function findDependency(scripts: readonly Script[], name: string): Script | undefined {
  const exact = scripts.find(({ revision, labels }) => revision === name || labels.includes(name))
  const abbreviated = scripts.filter(({ revision }) => revision.startsWith(name))
  return exact ?? (abbreviated.length === 1 ? abbreviated[0] : undefined)
}

function findUnusableLabels(scripts: readonly Script[]): readonly Problem[] {
  return scripts.flatMap(({ file, labels }) =>
    labels.flatMap((label): readonly Problem[] => {
      const fault = faultOfLabel(label)
      if (fault === undefined) return []
      return [
        irregularity(
          `${file}: the label "${label}" ${fault}: it is left out`,
          'add another one to "labels" in revision.json',
        ),
      ]
    }),
  )
}

function toRevisions(scripts: readonly Script[], inOrder: readonly Script[]): readonly ForeignRevision[] {
  const created = new Map<string, Date>()
  return inOrder.map((script) => {
    const { revision, parents, dependsOn, labels, message } = script
    const latest = Math.max(...parents.map((parent) => created.get(parent)!.getTime()))
    const time = script.created ?? new Date(parents.length > 0 ? latest + 1000 : firstTime)
    created.set(revision, time)
    const id = idOfAlembic(revision)
    return {
      id,
      name: revision,
      folderName: folderNameOf(time, `${revision}_${message.toLowerCase()}`).slice(0, 80).replace(/_+$/, ''),
      parents: parents.map(idOfAlembic),
      dependsOn: [...new Set(dependsOn.map((name) => idOfAlembic(findDependency(scripts, name)!.revision)))],
      labels: labels.filter((label) => faultOfLabel(label) === undefined),
      // The rows of alembic_version, and the people who know it, go by Alembic's name.
      message: id === revision ? message : `${message} (${revision})`,
      created: time,
      files: filesOf(script),
    }
  })
}

/** For a first revision that does not say when it was made. */
const firstTime = Date.UTC(2000, 0, 1)

function filesOf({ file, revision, parents, isEmpty }: Script): ForeignFiles {
  if (isEmpty) {
    const text = `-- Revision ${revision} of Alembic changes nothing.\n`
    return { up: text, down: text }
  }
  const text = (command: string) =>
    `${unfilledMarker}: what revision ${revision} of Alembic does is in ${basename(file)}. Databases that have had it need nothing.
-- To build others, write its SQL here in place of these lines. Alembic prints it:
--   ${command} --sql
`
  const [parent] = parents
  // Offline, Alembic takes one parent; of a merge there is nothing to print.
  return {
    up: text(`alembic upgrade ${parent === undefined ? '' : `${parent}:`}${revision}`),
    down: text(`alembic downgrade ${revision}:${parent ?? 'base'}`),
  }
}
