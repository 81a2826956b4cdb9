import { type Box, type DiagramHistory, diagramOf } from './diagram.ts'
import type { Standing } from './graph.ts'

/**
 * Histories in the language of Graphviz, the newest revisions at the top: a cluster for each database, dashed arrows
 * for dependencies.
 */
export function dotOf(histories: readonly DiagramHistory[]): readonly string[] {
  const { groups, strangers, arrows } = diagramOf(histories)
  return [
    'digraph history {',
    '  rankdir=BT',
    '  node [shape=box, style=rounded, fontname="sans-serif"]',
    ...groups.flatMap(({ database, boxes }) => [
      `  subgraph ${quote(`cluster_${database}`)} {`,
      `    label=${quote(database)}`,
      ...boxes.map((box) => `    ${boxText(box)}`),
      '  }',
    ]),
    ...strangers.map(({ key }) => `  ${quote(key)} [style="rounded,dashed"]`),
    ...arrows.map(({ from, to, dashed }) => `  ${quote(from)} -> ${quote(to)}${dashed ? ' [style=dashed]' : ''}`),
    '}',
  ]
}

const looks: Readonly<Record<Standing, string>> = {
  current: ', color="#1a7f37", penwidth=3',
  applied: ', color="#1a7f37"',
  pending: ', color="#9a6700", style="rounded,dashed"',
}

function boxText({ key, text, standing }: Box): string {
  return `${quote(key)} [label=${quote(text.join('\n'))}${standing === undefined ? '' : looks[standing]}]`
}

function quote(text: string): string {
  const escaped = text.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)
  return `"${escaped.replaceAll(/\r?\n|\r/g, String.raw`\n`)}"`
}
