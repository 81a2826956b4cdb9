import { describe, expect, it } from 'vitest'

import { dotOf } from './dot.ts'
import { exampleHistories, standingHistory } from './example-diagram.ts'
import { exampleRevisions } from './example-drawing.ts'

describe('dotOf', () => {
  it('groups revisions by database, with arrows for parents and dashed ones for dependencies', () => {
    expect(`\n${dotOf(exampleHistories).join('\n')}`).toBe(String.raw`
digraph history {
  rankdir=BT
  node [shape=box, style=rounded, fontname="sans-serif"]
  subgraph "cluster_credentials" {
    label="credentials"
    "credentials/a" [label="a\nmake a"]
    "credentials/b" [label="b\nmake b"]
    "credentials/c" [label="c\nmake c"]
    "credentials/d" [label="d\nmake d"]
  }
  subgraph "cluster_main-eu" {
    label="main-eu"
    "main-eu/a" [label="a\nmake a"]
    "main-eu/b" [label="b\nmake b\n[billing] [eu]"]
  }
  "gdpr/3f9c" [style="rounded,dashed"]
  "credentials/a" -> "credentials/b"
  "credentials/a" -> "credentials/c"
  "credentials/b" -> "credentials/d"
  "credentials/c" -> "credentials/d"
  "main-eu/a" -> "main-eu/b"
  "credentials/d" -> "main-eu/b" [style=dashed]
  "gdpr/3f9c" -> "main-eu/b" [style=dashed]
}`)
  })

  it('shows how revisions stand, if that is known', () => {
    expect(dotOf([standingHistory]).filter((line) => line.includes('label="') && line.includes('/'))).toEqual([
      String.raw`    "main/a" [label="a\nmake a", color="#1a7f37"]`,
      String.raw`    "main/b" [label="b\nmake b", color="#1a7f37", penwidth=3]`,
      String.raw`    "main/c" [label="c\nmake c", color="#9a6700", style="rounded,dashed"]`,
    ])
  })

  it('escapes what would end a text or begin an escape', () => {
    const [revision] = exampleRevisions('a')
    const message = String.raw`say "no" to C:\new` + '\nat all'

    expect(dotOf([{ database: 'main', revisions: [{ ...revision!, message }] }])).toContain(
      String.raw`    "main/a" [label="a\nsay \"no\" to C:\\new\nat all"]`,
    )
  })

  it('is a graph without any revision too', () => {
    expect(dotOf([]).at(0)).toBe('digraph history {')
    expect(dotOf([]).at(-1)).toBe('}')
  })
})
