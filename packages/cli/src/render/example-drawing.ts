import type { Revision } from '@drover/history'

/**
 * Revisions for a drawing, in run order: `a, b<a, c<a, d<b+c~a` is a diamond whose last revision depends on its first.
 * Each is created a minute after the one before.
 */
export function exampleRevisions(text: string): readonly Revision[] {
  return text.split(', ').map((word, at) => {
    const [, id = '', parents, dependsOn] = /^(\w+)(?:<([\w+]+))?(?:~([\w+]+))?$/.exec(word) ?? []
    return {
      id,
      parents: parents?.split('+') ?? [],
      dependsOn: dependsOn?.split('+') ?? [],
      labels: [],
      message: `make ${id}`,
      created: new Date(Date.UTC(2026, 10, 20, 10, at)).toISOString().replace('.000', ''),
      folder: `databases/main/migrations/${id}`,
      reversible: true,
    }
  })
}
