/**
 * Whether the text of a `migration.ts` seems to have a `down`, without loading it. The process that runs it compares
 * this with what the module has, and refuses when they differ. Pure.
 */
export function declaresDown(code: string): boolean {
  return declaration.test(code.replaceAll(/\/\*[^]*?\*\//g, ''))
}

/** A method, a property, or the shorthand for one: never `tree.down(`, and nothing behind `//`. */
const declaration = /^(?:(?!\/\/).)*?(?:^|[{,])\s*(?:async\s+)?(?:down|'down'|"down")\s*(?:[(:,}]|$)/m
