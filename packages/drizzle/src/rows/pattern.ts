/** How many texts are made for a pattern. */
const variants = 8

/** About how many characters a text has at most. */
const longest = 4000

/**
 * Texts that fit a regular expression, each once; none when it cannot be read. Assertions and back references are passed
 * over, so a text may fail to fit.
 */
export function samplePattern(pattern: string): readonly string[] {
  const node = parsePattern(pattern)
  if (!node) return []
  return [...new Set(Array.from({ length: variants }, (_, variant) => writeSample(node, { variant, place: 0 })))]
}

type Node =
  | { readonly kind: 'one-of'; readonly characters: readonly string[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }

interface Variation {
  readonly variant: number
  /** How many characters were chosen; moves the choice on from one to the next. */
  place: number
}

function writeSample(node: Node, variation: Variation): string {
  const { variant } = variation
  switch (node.kind) {
    case 'one-of': {
      const choice = variant + variation.place
      variation.place += 1
      return node.characters[choice % node.characters.length] ?? ''
    }
    case 'repeat': {
      const span = Math.min(node.most - node.least, 2)
      // One repetition first: the plainest text is rarely the empty one.
      const count = node.least + (span === 0 ? 0 : (variant + (node.least === 0 ? 1 : 0)) % (span + 1))
      let text = ''
      for (let time = 0; time < Math.min(count, longest) && variation.place < longest; time += 1) {
        text += writeSample(node.node, variation)
      }
      return text
    }
    case 'sequence':
      return node.nodes.map((part) => writeSample(part, variation)).join('')
    case 'choice': {
      const chosen = node.nodes[variant % node.nodes.length]
      return chosen ? writeSample(chosen, variation) : ''
    }
  }
}

/** Reads what the usual regular expressions consist of. Undefined when something else is in it. */
function parsePattern(pattern: string): Node | undefined {
  const characters = Array.from(pattern)
  let at = 0

  function readChoice(): Node | undefined {
    const nodes: Node[] = []
    do {
      const node = readSequence()
      if (!node) return undefined
      nodes.push(node)
    } while (take('|'))
    return { kind: 'choice', nodes }
  }

  function readSequence(): Node | undefined {
    const nodes: Node[] = []
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') {
      const node = readPart()
      if (!node) return undefined
      nodes.push(readRepeat(node))
    }
    return { kind: 'sequence', nodes }
  }

  function readPart(): Node | undefined {
    if (take('^') || take('$')) return nothing
    if (take('.')) return oneOf(letters)
    if (take('[')) return readClass()
    if (take('\\')) return readEscape()
    if (take('(')) return readGroup()
    const character = characters[at]
    at += 1
    return character === undefined || '*+?{}'.includes(character) ? undefined : oneOf([character])
  }

  function readGroup(): Node | undefined {
    const assertion = characters.slice(at, at + 2).join('')
    const isAssertion = assertion === '?!' || assertion === '?=' || assertion === '?<'
    if (isAssertion || assertion === '?:') at += 2
    const node = readChoice()
    if (!take(')')) return undefined
    return isAssertion ? nothing : node
  }

  function readClass(): Node | undefined {
    const negated = take('^')
    const members: string[] = []
    while (at < characters.length && (characters[at] !== ']' || members.length === 0)) {
      const named = /^\[:(\w+):\]/.exec(characters.slice(at).join(''))
      if (named) {
        members.push(...(namedClasses.get(named[1] ?? '') ?? letters))
        at += named[0].length
        continue
      }
      if (take('\\')) {
        const escaped = readEscape()
        if (escaped?.kind === 'one-of') members.push(...escaped.characters)
        continue
      }
      const first = characters[at] ?? ''
      at += 1
      const last = characters[at + 1]
      if (characters[at] === '-' && last !== undefined && last !== ']') {
        members.push(...range(first, last))
        at += 2
      } else {
        members.push(first)
      }
    }
    if (!take(']')) return undefined
    if (!negated) return oneOf(members)
    const others = [...letters, ...digits, '-', ' '].filter((character) => !members.includes(character))
    return others.length > 0 ? oneOf(others) : undefined
  }

  function readEscape(): Node | undefined {
    const character = characters[at]
    at += 1
    if (character === undefined) return undefined
    if ('AZbBmMyY<>'.includes(character)) return nothing
    return oneOf(escapes.get(character) ?? [character])
  }

  function readRepeat(node: Node): Node {
    const bounds = /^(?:([*+?])|\{(\d+)(,)?(\d*)\})\??/.exec(characters.slice(at).join(''))
    if (!bounds) return node
    at += bounds[0].length
    const [, sign, least, comma, most] = bounds
    if (sign !== undefined) {
      return { kind: 'repeat', node, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : unbounded }
    }
    const from = Number(least)
    return { kind: 'repeat', node, least: from, most: comma === undefined ? from : most ? Number(most) : unbounded }
  }

  function take(character: string): boolean {
    if (characters[at] !== character) return false
    at += 1
    return true
  }

  const node = readChoice()
  return at === characters.length ? node : undefined
}

const unbounded = Number.POSITIVE_INFINITY
const letters = range('a', 'z')
const digits = range('0', '9')
const nothing: Node = { kind: 'sequence', nodes: [] }
const words = [...letters, ...digits]
const escapes = new Map<string, readonly string[]>([
  ['d', digits],
  ['w', words],
  ['s', [' ']],
  ['D', letters],
  ['S', words],
  ['W', ['-', ' ']],
  ['n', ['\n']],
  ['t', ['\t']],
])
const namedClasses = new Map<string, readonly string[]>([
  ['alpha', letters],
  ['lower', letters],
  ['upper', range('A', 'Z')],
  ['digit', digits],
  ['alnum', words],
  ['xdigit', [...digits, ...range('a', 'f')]],
  ['space', [' ']],
  ['punct', ['-', '.', ',']],
])

function oneOf(characters: readonly string[]): Node {
  return { kind: 'one-of', characters }
}

function range(first: string, last: string): readonly string[] {
  const from = first.codePointAt(0) ?? 0
  const to = last.codePointAt(0) ?? from
  return Array.from({ length: Math.max(0, Math.min(to - from + 1, 96)) }, (_, index) =>
    String.fromCodePoint(from + index),
  )
}
