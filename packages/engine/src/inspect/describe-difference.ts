import type { CatalogDifference } from './compare-catalogs.ts'

/**
 * Says a difference between catalogues in plain words, in one or several lines; the first names the thing.
 * @param mostLines how many changed lines of a definition are shown. Default 10
 */
export function describeDifference(
  { object, part, kind, expected = '', found = '' }: CatalogDifference,
  mostLines = 10,
): string[] {
  const thing = part === undefined ? object : `${object}: ${part}`
  const verb = /(?:^default privileges .*|\b(?:privileges|parameters))$/.test(part ?? object) ? 'are' : 'is'
  if (part !== undefined && /\bprivileges$/.test(part) && kind !== 'different') {
    const fresh = 'those of a new object'
    return [`${thing} are ${found || fresh}, and should be ${expected || fresh}`]
  }
  switch (kind) {
    case 'missing':
      return [`${thing} ${verb} missing${part === undefined ? '' : `: ${shorten(expected)}`}`]
    case 'unexpected':
      return [`${thing} should not be there${part === undefined ? '' : `: ${shorten(found)}`}`]
    case 'different':
      return describeChange(`${thing} ${verb}`, expected, found, mostLines)
  }
}

/** As much as a person takes in at once. */
const mostCharacters = 120

function describeChange(thing: string, expected: string, found: string, mostLines: number): string[] {
  if (`${expected}${found}`.includes('\n')) {
    const changes = compareLines(expected.split('\n'), found.split('\n'))
    const rest = changes.length - mostLines
    return [
      `${thing} different (+ is there, - should be)`,
      ...changes.slice(0, mostLines).map((change) => `  ${change}`),
      ...(rest > 0 ? [`  and ${rest} more`] : []),
    ]
  }
  if (expected.length + found.length <= mostCharacters) return [`${thing} ${found}, and should be ${expected}`]
  return [`${thing} different`, `  is:        ${found}`, `  should be: ${expected}`]
}

function shorten(text: string): string {
  const [first = '', ...rest] = text.split('\n')
  return rest.length > 0 || first.length > mostCharacters ? `${first.slice(0, mostCharacters)} …` : first
}

/** The lines that go (-) and the lines that come (+), in their order, without those that both have. */
function compareLines(before: readonly string[], after: readonly string[]): readonly string[] {
  // common[i][j]: how many lines the rest of `before` from i and the rest of `after` from j have in common, in order.
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      common[i]![j] =
        before[i] === after[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
  const changes: string[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) [i, j] = [i + 1, j + 1]
    else if (j === after.length || (i < before.length && common[i + 1]![j]! >= common[i]![j + 1]!))
      changes.push(`- ${before[i++]}`)
    else changes.push(`+ ${after[j++]}`)
  }
  return changes
}
