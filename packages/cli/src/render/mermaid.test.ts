import { describe, expect, it } from 'vitest'

import { exampleHistories, standingHistory } from './example-diagram.ts'
import { exampleRevisions } from './example-drawing.ts'
import { mermaidOf } from './mermaid.ts'

describe('mermaidOf', () => {
  it('groups revisions by database, with arrows for parents and dashed ones for dependencies', () => {
    expect(`\n${mermaidOf(exampleHistories).join('\n')}`).toBe(`
flowchart BT
  subgraph credentials__group["credentials"]
    credentials__a["a<br/>make a"]
    credentials__b["b<br/>make b"]
    credentials__c["c<br/>make c"]
    credentials__d["d<br/>make d"]
  end
  subgraph main_2d_eu__group["main-eu"]
    main_2d_eu__a["a<br/>make a"]
    main_2d_eu__b["b<br/>make b<br/>[billing] [eu]"]
  end
  gdpr__3f9c["gdpr/3f9c"]:::elsewhere
  credentials__a --> credentials__b
  credentials__a --> credentials__c
  credentials__b --> credentials__d
  credentials__c --> credentials__d
  main_2d_eu__a --> main_2d_eu__b
  credentials__d -.-> main_2d_eu__b
  gdpr__3f9c -.-> main_2d_eu__b
  classDef elsewhere stroke-dasharray:4 3`)
  })

  it('shows how revisions stand, if that is known', () => {
    expect(`\n${mermaidOf([standingHistory]).join('\n')}`).toBe(`
flowchart BT
  subgraph main__group["main"]
    main__a["a<br/>make a"]:::applied
    main__b["b<br/>make b"]:::current
    main__c["c<br/>make c"]:::pending
  end
  main__a --> main__b
  main__b --> main__c
  classDef current stroke:#1a7f37,stroke-width:3px
  classDef applied stroke:#1a7f37
  classDef pending stroke:#9a6700,stroke-dasharray:4 3`)
  })

  it('leaves nothing in a message that Mermaid would take for its own', () => {
    const [revision] = exampleRevisions('a')
    const textOf = (message: string) =>
      mermaidOf([{ database: 'main', revisions: [{ ...revision!, message }] }]).find((line) => line.includes('<br/>'))

    expect(textOf('say "no" #1; <b>*x*</b> `y` ]')).toBe(
      '    main__a["a<br/>say #34;no#34; #35;1; #60;b#62;#42;x#42;#60;/b#62; #96;y#96; ]"]',
    )
    expect(textOf('one\ntwo')).toBe('    main__a["a<br/>one two"]')
  })

  it('leaves out parents that are not shown', () => {
    const [, last] = exampleRevisions('a, b<a')

    expect(mermaidOf([{ database: 'main', revisions: [last!] }]).join('\n')).not.toContain('-->')
    expect(mermaidOf([])).toEqual(['flowchart BT'])
  })
})
