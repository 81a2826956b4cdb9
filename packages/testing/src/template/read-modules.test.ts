import { expect, test } from 'vitest'

import { importsOf } from './read-modules.ts'

test('the relative imports of a module are found, however they are written', () => {
  const code = `
import { a } from './a.ts'
import type { B } from "../b.ts"
import './c.ts'
export * from './d.ts'
const e = await import('./e.ts')
import {
  f,
} from './f.json' with { type: 'json' }
import postgres from 'postgres'
import fs from 'node:fs'
`
  expect(importsOf(code)).toEqual(['./a.ts', '../b.ts', './c.ts', './d.ts', './e.ts', './f.json'])
})
