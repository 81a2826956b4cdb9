import { readLine } from './catalog-line.ts'

/** One way in which a catalogue is not what it should be. */
export interface CatalogDifference {
  /** `table app.users` */
  readonly object: string
  /** What of it: `column code`, `index by_code`, `privileges`, `column code comment`. `undefined` is the object itself. */
  readonly part: string | undefined
  /** Something is missing, is there and should not be, or is there and says something else. */
  readonly kind: 'missing' | 'unexpected' | 'different'
  /** What should be there, in one or several lines: `integer not null`. Of a missing object, everything. */
  readonly expected: string | undefined
  /** What is there. Of an unexpected object, everything. */
  readonly found: string | undefined
}

/** What there is to say of an object, by part; of the object itself under the empty name. */
type Parts = ReadonlyMap<string, string>

/**
 * Compares two catalogues, as `readCatalog` reads them, object by object in the order of their names. The places of columns
 * do not count. What goes with something else is not told on its own: an object that is missing is one difference, a column
 * is missing along with its comment, and a constraint along with its index.
 */
export function compareCatalogs(expected: readonly string[], found: readonly string[]): readonly CatalogDifference[] {
  const wanted = groupByObject(expected)
  const present = groupByObject(found)
  return namesOf(wanted, present).flatMap((object) => compareObject(object, wanted.get(object), present.get(object)))
}

function groupByObject(lines: readonly string[]): ReadonlyMap<string, Parts> {
  const objects = new Map<string, Map<string, string>>()
  for (const line of lines) {
    const { object, part, detail } = readLine(line)
    const parts = objects.get(object) ?? new Map<string, string>()
    const before = parts.get(part)
    parts.set(part, before === undefined ? detail : `${before}\n${detail}`)
    objects.set(object, parts)
  }
  return objects
}

function compareObject(object: string, wanted: Parts | undefined, present: Parts | undefined): CatalogDifference[] {
  if (!wanted || !present) {
    const [expected, found] = [wanted && describeWhole(wanted), present && describeWhole(present)]
    return [{ object, part: undefined, kind: kindOf(expected, found), expected, found }]
  }
  const differences = namesOf(wanted, present)
    .map((part) => ({ part, expected: wanted.get(part), found: present.get(part) }))
    .filter(({ expected, found }) => expected !== found)
    .map((difference) => ({ ...difference, kind: kindOf(difference.expected, difference.found) }))
  return differences
    .filter(
      ({ part, kind }) =>
        kind === 'different' || !differences.some((other) => other.kind === kind && goesWith(part, other.part)),
    )
    .map(({ part, ...rest }) => ({ object, part: part === '' ? undefined : part, ...rest }))
}

/** Everything that there is to say of an object. */
function describeWhole(parts: Parts): string {
  return namesOf(parts, parts)
    .map((part) => `${part}${part === '' ? '' : ': '}${parts.get(part) ?? ''}`)
    .join('\n')
}

function kindOf(expected: string | undefined, found: string | undefined): CatalogDifference['kind'] {
  if (expected === undefined) return 'unexpected'
  return found === undefined ? 'missing' : 'different'
}

/** Whether a part comes and goes with another, so that there is no need to mention it. */
function goesWith(part: string, other: string): boolean {
  return part.startsWith(`${other} `) || (part.startsWith('index ') && other === part.replace('index', 'constraint'))
}

/** The names of both, each once, in an order that no locale changes. */
function namesOf(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])].toSorted()
}
