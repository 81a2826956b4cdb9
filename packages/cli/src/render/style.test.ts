import { describe, expect, it } from 'vitest'

import { type ColorMode, styleFor } from './style.ts'

describe('styleFor', () => {
  it.each<[boolean, ColorMode, boolean, Record<string, string>]>([
    [true, 'auto', true, {}],
    [false, 'auto', false, {}],
    [false, 'auto', true, { NO_COLOR: '1' }],
    [true, 'auto', true, { NO_COLOR: '' }],
    [true, 'always', false, {}],
    [true, 'always', true, { NO_COLOR: '1' }],
    [false, 'never', true, {}],
  ])('paints: %s, for --color %s, a terminal: %s, and %j', (paints, mode, isTTY, env) => {
    const style = styleFor({ write: () => {}, isTTY }, mode, env)

    for (const paint of Object.values(style)) expect(paint('text') !== 'text').toBe(paints)
  })
})
