import type { Output } from '../io.ts'

/** Paints text, or leaves it as it is. */
export interface Style {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
  readonly dim: (text: string) => string
  readonly strong: (text: string) => string
}

/** When to paint: as the terminal allows, always, or never. */
export type ColorMode = 'auto' | 'always' | 'never'

/** The style for one stream. `auto` paints on a terminal unless `NO_COLOR` is set to anything (no-color.org). */
export function styleFor(output: Output, mode: ColorMode, env: Readonly<Record<string, string | undefined>>): Style {
  const on = mode === 'always' || (mode === 'auto' && output.isTTY && !env['NO_COLOR'])
  const paint = (format: 'green' | 'red' | 'yellow' | 'dim' | 'bold') => (text: string) =>
    on ? process.getBuiltinModule('node:util').styleText(format, text, { validateStream: false }) : text
  return { good: paint('green'), bad: paint('red'), warn: paint('yellow'), dim: paint('dim'), strong: paint('bold') }
}
