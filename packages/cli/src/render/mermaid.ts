import { type Box, type Diagram, type DiagramHistory, diagramOf } from './diagram.ts'
import type { Standing } from './graph.ts'

/**
 * Histories as a flowchart of Mermaid, the newest revisions at the top: a subgraph for each database, dashed arrows for
 * dependencies.
 */
export function mermaidOf(histories: readonly DiagramHistory[]): readonly string[] {
  const { groups, strangers, arrows } = diagramOf(histories)
  return [
    'flowchart BT',
    ...groups.flatMap(({ database, boxes }) => [
      `  subgraph ${nameOf(`${database}/`)}["${escapeText(database)}"]`,
      ...boxes.map((box) => `    ${boxText(box)}`),
      '  end',
    ]),
    ...strangers.map((box) => `  ${boxText(box)}:::elsewhere`),
    ...arrows.map(({ from, to, dashed }) => `  ${nameOf(from)} ${dashed ? '-.->' : '-->'} ${nameOf(to)}`),
    ...classes({ groups, strangers, arrows }),
  ]
}

const looks: Readonly<Record<Standing, string>> = {
  current: 'stroke:#1a7f37,stroke-width:3px',
  applied: 'stroke:#1a7f37',
  pending: 'stroke:#9a6700,stroke-dasharray:4 3',
}

function classes({ groups, strangers }: Diagram): readonly string[] {
  const used = new Set(groups.flatMap(({ boxes }) => boxes.map(({ standing }) => standing)))
  return [
    ...(['current', 'applied', 'pending'] as const)
      .filter((standing) => used.has(standing))
      .map((standing) => `  classDef ${standing} ${looks[standing]}`),
    ...(strangers.length > 0 ? ['  classDef elsewhere stroke-dasharray:4 3'] : []),
  ]
}

function boxText({ key, text, standing }: Box): string {
  const suffix = standing === undefined ? '' : `:::${standing}`
  return `${nameOf(key)}["${text.map(escapeText).join('<br/>')}"]${suffix}`
}

/**
 * A name that is no word of Mermaid's: letters and digits, everything else as its number. Different keys stay
 * different.
 */
function nameOf(key: string): string {
  const escaped = key.replaceAll(/[^a-zA-Z0-9/]/g, (character) => `_${character.codePointAt(0)!.toString(16)}_`)
  return escaped.replace(/\/$/, '__group').replaceAll('/', '__')
}

/**
 * Text between quotes. A number sign begins an entity of Mermaid, and what looks like HTML or Markdown would be taken
 * for it.
 */
function escapeText(text: string): string {
  return text.replaceAll(/["#&<>`*_~\\]/g, (character) => `#${character.codePointAt(0)!};`).replaceAll(/\s+/g, ' ')
}
