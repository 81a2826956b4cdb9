import { buildHistory } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleRevisions } from './example-drawing.ts'
import type { Standing } from './graph.ts'
import { historyGraph, historyList, type ShownHistory } from './history.ts'
import { styleFor } from './style.ts'

const plain = styleFor({ write: () => {}, isTTY: false }, 'never', {})

/** A history as it is shown: the labels of `c`, a dependency of `b` elsewhere, and `d` without a way back. */
function shown(text: string, shownIds = /^/): ShownHistory {
  const result = buildHistory(
    exampleRevisions(text).map((revision) => ({
      ...revision,
      ...(revision.id === 'c' && { labels: ['billing', 'invoices'] }),
      ...(revision.id === 'b' && { dependsOnElsewhere: [{ database: 'credentials', revision: '3f9c1a7be204' }] }),
      ...(revision.id === 'd' && { reversible: false }),
    })),
  )
  if (!result.ok) throw new Error(result.problems[0]?.message)
  return { graph: result.history, revisions: result.history.revisions.filter(({ id }) => shownIds.test(id)) }
}

const standings: Readonly<Record<string, Standing>> = { a: 'applied', b: 'current', c: 'pending', d: 'pending' }
const standingOf = (id: string) => standings[id]!
const diamond = 'a, b<a, c<a, d<b+c~a'

describe('historyList', () => {
  it('has a line for each revision, newest first, with what is special about it', () => {
    expect(historyList(shown(diamond), false)).toEqual([
      '  d  make d (head, irreversible, depends on a)',
      '  c  make c [billing] [invoices]',
      '  b  make b (depends on credentials/3f9c1a7be204)',
      '  a  make a (base)',
    ])
  })

  it('adds the time, the parents and the folder if it is to', () => {
    expect(historyList(shown('a, x<a, z<x+a'), true)).toEqual([
      '  z  2026-11-20T10:02:00Z  x a  databases/main/migrations/z  make z (head)',
      '  x  2026-11-20T10:01:00Z  a    databases/main/migrations/x  make x',
      '  a  2026-11-20T10:00:00Z  -    databases/main/migrations/a  make a (base)',
    ])
  })

  it('says how revisions stand in the database, if that is known', () => {
    expect(historyList({ ...shown(diamond), standingOf }, false)).toEqual([
      '  d  make d (pending, head, irreversible, depends on a)',
      '  c  make c [billing] [invoices] (pending)',
      '  b  make b (current, depends on credentials/3f9c1a7be204)',
      '  a  make a (applied, base)',
    ])
  })
})

function graph(history: ShownHistory, verbose = false, style = plain): string {
  return historyGraph(history, { characters: 'unicode', verbose, style }).join('\n')
}

describe('historyGraph', () => {
  it('puts the texts beside the graph, in one column', () => {
    expect(`\n${graph({ ...shown(diamond), standingOf })}`).toBe(`
  ○      d  make d (pending, head, irreversible, depends on a)
  ├─┬╌╮
  │ ○ ┊  c  make c [billing] [invoices] (pending)
  ◉ │ ┊  b  make b (current, depends on credentials/3f9c1a7be204)
  ├─╯ ┊
  ├╌╌╌╯
  ●      a  make a (applied, base)`)
  })

  it('has lines of detail beside the lanes if it is to', () => {
    expect(`\n${graph(shown('a, x<a, y<a, z<x+y'), true)}`).toBe(`
  ●    z  make z (head)
  │      created  2026-11-20T10:03:00Z
  │      after    x make x
  │               y make y
  │      folder   databases/main/migrations/z
  ├─╮
  │ ●  y  make y
  │ │    created  2026-11-20T10:02:00Z
  │ │    after    a make a
  │ │    folder   databases/main/migrations/y
  │ │
  ● │  x  make x
  │ │    created  2026-11-20T10:01:00Z
  │ │    after    a make a
  │ │    folder   databases/main/migrations/x
  ├─╯
  ●    a  make a (base)
         created  2026-11-20T10:00:00Z
         folder   databases/main/migrations/a`)
  })

  it('shows where a part of a history goes on', () => {
    expect(graph(shown('a, x<a, y<x', /[xy]/))).toBe('  ●  y  make y (head)\n  ●  x  make x\n  ~')
    expect(graph(shown('a, x<a', /x/), true)).toContain('after    a make a')
    expect(graph(shown('a', /b/))).toBe('')
  })

  it('does not push all texts aside for a few lines that are very wide', () => {
    const names = 'bcdefghijklmnop'.split('').map((name) => `${name}2`)
    const wide = `a, ${names.map((name) => `${name}<a`).join(', ')}, q<${names.join('+')}, r<q`

    const lines = graph(shown(wide)).split('\n')

    expect(lines[0]).toBe(`  ●${' '.repeat(24)}r  make r (head)`)
    expect(lines.find((line) => line.includes('make p2'))).toBe(`  ${'│ '.repeat(14)}●  p2  make p2`)
  })

  it('paints marks and notes as revisions stand, and leaves lanes pale', () => {
    const painting = {
      good: (text: string) => `<good ${text}>`,
      bad: (text: string) => `<bad ${text}>`,
      warn: (text: string) => `<warn ${text}>`,
      dim: (text: string) => `<dim ${text}>`,
      strong: (text: string) => `<strong ${text}>`,
    }

    expect(`\n${graph({ ...shown('a, b<a, c<a'), standingOf }, false, painting)}`).toBe(`
  <warn ○>    <warn c>  make c [billing] [invoices] <dim (pending, head)>
  <dim │ ><good ◉>  <warn b>  make b <good (current, head, depends on credentials/3f9c1a7be204)>
  <dim ├─╯>
  <strong ●>    <warn a>  make a <dim (applied, base)>`)
  })
})
