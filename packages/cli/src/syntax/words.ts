/** What stands behind `--`. */
export function behindDashes(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--')
  return at === -1 ? [] : argv.slice(at + 1)
}
