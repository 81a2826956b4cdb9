import { describe, expect, it } from 'vitest'

import { exampleRevisions } from './example-drawing.ts'
import { drawGraph, type GraphOptions, type Standing } from './graph.ts'

/** The graph as lines, behind each mark the id of its revision. */
function draw(text: string, options: GraphOptions = {}, shown = /^/): string {
  const revisions = exampleRevisions(text).filter(({ id }) => shown.test(id))
  return drawGraph(revisions, options)
    .flatMap(({ line, revision, below }) => [`${line} ${revision.id}`, ...below])
    .join('\n')
}

const drawings: Readonly<Record<string, readonly [history: string, drawing: string]>> = {
  'a single revision': ['a', '● a'],
  'a line': [
    'a, b<a, c<b',
    `
● c
● b
● a`,
  ],
  'a branch': [
    'a, b<a, c<a, d<c',
    `
● d
● c
│ ● b
├─╯
● a`,
  ],
  'many branches from one revision, which share a lane': [
    'a, b<a, c<a, d<a, e<a',
    `
● e
│ ● d
├─╯
│ ● c
├─╯
│ ● b
├─╯
● a`,
  ],
  'a diamond': [
    'a, b<a, c<a, d<b+c',
    `
● d
├─╮
│ ● c
● │ b
├─╯
● a`,
  ],
  'a branch, its merge, and what follows': [
    'a, b<a, c<b, d<b, e<d, f<c, g<f+e, h<g',
    `
● h
● g
├─╮
│ ● e
│ ● d
● │ f
● │ c
├─╯
● b
● a`,
  ],
  'a branch inside a branch': [
    'a, b<a, c<a, d<c, e<c, f<d+e, g<b+f',
    `
● g
├─╮
│ ● f
│ ├─╮
│ │ ● e
│ ● │ d
│ ├─╯
│ ● c
● │ b
├─╯
● a`,
  ],
  'a criss-cross': [
    'a, b<a, c<a, d<b+c, e<b+c',
    `
● e
├─╮
│ │ ● d
│ │ ├─╮
├─│─╯ │
│ ├───╯
│ ● c
● │ b
├─╯
● a`,
  ],
  'a merge of three': [
    'a, b<a, c<a, d<a, e<b+c+d',
    `
● e
├─┬─╮
│ │ ● d
│ ● │ c
│ ├─╯
● │ b
├─╯
● a`,
  ],
  'a merge into both sides': [
    'a, b, c<a+b, d, e<b+d+a, f<c',
    `
● f
● c
├─╮
│ │ ● e
│ │ ├─┬─╮
├─│─│─│─╯
│ ├─╯ │
● │   │ a
  │   ● d
  ● b`,
  ],
  'histories that have nothing to do with each other, apart': [
    'a, b<a, x, y<x',
    `
● y
● x

● b
● a`,
  ],
  'several bases that are merged': [
    'a, b, c<b, d<a+c',
    `
● d
├─╮
│ ● c
│ ● b
● a`,
  ],
  'a dependency beside the line': [
    'a, b<a, c<a~b, d<c',
    `
● d
● c
├╌╮
│ ● b
├─╯
● a`,
  ],
  'a dependency straight down': [
    'a, b~a',
    `
● b
┊
● a`,
  ],
  'a parent of one that another depends on': [
    'a, b<a, c~a',
    `
● c
┊
┊ ● b
├─╯
● a`,
  ],
  'a line that passes below a base, with room between': [
    'a, b, c<a+b, d<c~a, e<c',
    `
● e
│ ● d
│ ├╌╮
├─╯ ┊
●   ┊ c
├─╮ ┊
│ ● ┊ b
│   ┊
├╌╌╌╯
● a`,
  ],
  'a dependency that is the parent too, once': [
    'a, b<a~a',
    `
● b
● a`,
  ],
}

const standings: Readonly<Record<string, Standing>> = { a: 'applied', b: 'current', c: 'pending' }

describe('drawGraph', () => {
  it.each(Object.entries(drawings))('draws %s', (_, [history, drawing]) => {
    expect(`\n${draw(history)}`).toBe(drawing.startsWith('\n') ? drawing : `\n${drawing}`)
  })

  it('ends lanes whose parents are not among the revisions', () => {
    expect(draw('a, b<a, c<b', {}, /[bc]/)).toBe('● c\n● b\n~')
    expect(draw('a, b<a, c<a, d<b+c', {}, /[acd]/)).toBe('● d\n├─╮\n│ ~\n● c\n● a')
    expect(draw('a, b<a, c<a, d<b+c', {}, /[bcd]/)).toBe('● d\n├─╮\n│ ● c\n│ ~\n● b\n~')
    expect(draw('a, b~a', {}, /b/)).toBe('● b')
  })

  it('keeps each arm in one piece, whenever its revisions were made', () => {
    expect(draw('a, b<a, x<a, c<b, y<x, d<c, z<y')).toBe('● z\n● y\n● x\n│ ● d\n│ ● c\n│ ● b\n├─╯\n● a')
  })

  it('marks revisions as they stand', () => {
    expect(draw('a, b<a, c<b', { standingOf: (id) => standings[id] })).toBe('○ c\n◉ b\n● a')
    expect(draw('a, b<a, c<b', { standingOf: (id) => standings[id], characters: 'ascii' })).toBe('o c\n@ b\n* a')
  })

  it('draws with nothing but ASCII when it is to', () => {
    const history = 'a, b<a, c<a, d<a, e<b+c+d, f<e~b'

    expect(`\n${draw(history)}`).toBe(`
● f
├╌╮
● ┊ e
├─┊─┬─╮
│ ┊ │ ● d
│ ┊ ● │ c
│ ┊ ├─╯
├╌╯ │
●   │ b
├───╯
● a`)
    expect(`\n${draw(history, { characters: 'ascii' })}`).toBe(`
* f
+-.
* : e
+-:-.-.
| : | * d
| : * | c
| : +-'
+-' |
*   | b
+---'
* a`)
  })

  it('draws nothing for no revisions', () => {
    expect(drawGraph([])).toEqual([])
  })
})
