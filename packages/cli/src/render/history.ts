import type { History, Revision } from '@drover/history'

import { type CharacterSet, drawGraph, type GraphEntry, type Standing } from './graph.ts'
import { dependenciesOf } from './revision.ts'
import type { Style } from './style.ts'
import { columns, marksOfRun } from './text.ts'

/** The revisions of one database that are to be shown, and how they stand in it if that is known. */
export interface ShownHistory {
  readonly graph: History
  /** In run order. */
  readonly revisions: readonly Revision[]
  readonly standingOf?: (id: string) => Standing
}

/** One line for each revision, newest first; `verbose` adds columns. */
export function historyList(shown: ShownHistory, verbose: boolean): readonly string[] {
  return columns(
    shown.revisions.toReversed().map((revision) => {
      const { created, folder, id, parents } = revision
      const more = verbose ? [created, parents.join(' ') || '-', folder] : []
      const marks = marksOf(shown, revision)
      return [`  ${id}`, ...more, `${titleOf(revision)}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`]
    }),
  )
}

/** The graph with a line of text on each revision, and with more of them if `verbose`. */
export function historyGraph(
  shown: ShownHistory,
  options: { readonly characters: CharacterSet; readonly verbose: boolean; readonly style: Style },
): readonly string[] {
  const { graph, revisions, standingOf } = shown
  const { characters, style, verbose } = options
  const entries = drawGraph(revisions, { characters, ...(standingOf && { standingOf }) })
  const widest = Math.max(
    0,
    ...entries.filter(({ line }) => line.length <= widestMargin).map(({ line }) => line.length),
  )
  const beside = (text: string, lanes: string, paint: (lanes: string) => string) =>
    `  ${paint(lanes)}${' '.repeat(Math.max(0, widest - lanes.length))}  ${text}`.trimEnd()
  return entries.flatMap((entry, at) => {
    const { id } = entry.revision
    const marks = marksOf(shown, entry.revision)
    const note =
      marks.length > 0 ? ` ${(marks.includes('current') ? style.good : style.dim)(`(${marks.join(', ')})`)}` : ''
    const text = `${style.warn(id)}  ${titleOf(entry.revision)}${note}`
    const isLast = at === entries.length - 1
    return [
      beside(text, entry.line, () => paintLine(entry, standingOf?.(id), style)),
      ...(verbose ? details(graph, entry.revision).map((line) => beside(line, entry.beside, style.dim)) : []),
      ...(verbose && entry.below.length === 0 && !isLast ? [beside('', entry.beside, style.dim)] : []),
      ...entry.below.map((line) => beside('', line, style.dim)),
    ]
  })
}

/** Wider than that, the text steps aside instead of standing in one column. */
const widestMargin = 24

function paintLine({ line, markAt }: GraphEntry, standing: Standing | undefined, style: Style): string {
  const paint = standing === 'pending' ? style.warn : standing === 'current' ? style.good : style.strong
  const [before, mark, after] = [line.slice(0, markAt), line.slice(markAt, markAt + 1), line.slice(markAt + 1)]
  return `${before && style.dim(before)}${paint(mark)}${after && style.dim(after)}`
}

/** A message with the labels behind it: `add invoices [billing]`. */
export function titleOf({ labels, message }: Pick<Revision, 'labels' | 'message'>): string {
  return [message, ...labels.map((label) => `[${label}]`)].join(' ')
}

function marksOf({ graph, standingOf }: ShownHistory, revision: Revision): readonly string[] {
  const standing = standingOf?.(revision.id)
  const dependencies = dependenciesOf(revision)
  return [
    ...(standing === undefined ? [] : [standing]),
    ...(graph.heads.includes(revision) ? ['head'] : []),
    ...(revision.parents.length === 0 ? ['base'] : []),
    ...(revision.reversible ? [] : ['irreversible']),
    ...marksOfRun(revision),
    ...(dependencies.length > 0 ? [`depends on ${dependencies.join(', ')}`] : []),
  ]
}

function details(graph: History, { created, folder, parents }: Revision): readonly string[] {
  const after = parents.map((id) => `${id} ${graph.byId.get(id)?.message ?? ''}`.trimEnd())
  return columns([
    ['  created', created],
    ...after.map((parent, at) => [at === 0 ? `  after` : '', parent]),
    ['  folder', folder],
  ])
}
