import { type ScanToken, scanSync } from 'libpg-query'

/** `comment on … is '…'` → `comment on … is null`. */
export function withoutComment(text: string): string | undefined {
  const statement = scan(text)
  const is = statement.keywords.findLast((token) => token.text.toLowerCase() === 'is')
  return is === undefined ? undefined : `${statement.slice(0, is.end)} null`
}

/**
 * `grant … to …` ↔ `revoke … from …`, in a default privilege too. None for `revoke grant option for`, which may have taken
 * less than a grant with that option would give.
 */
export function withoutGrant(text: string): string | undefined {
  const { keywords, slice } = scan(text)
  const verb = keywords.find(isWord('grant', 'revoke'))
  if (verb === undefined) return undefined
  const isGrant = isWord('grant')(verb)
  const link = keywords.findLast(isWord(isGrant ? 'to' : 'from'))
  if (link === undefined || (!isGrant && keywords.some(isWord('option')))) return undefined
  const isTail = isGrant ? isWord('with') : isWord('cascade', 'restrict')
  const tail = keywords.find((token) => token.start > link.end && isTail(token))
  const grantees = slice(link.end, tail?.start).trimEnd()
  const [undoing, toOrFrom] = isGrant ? ['revoke', 'from'] : ['grant', 'to']
  return slice(0, verb.start) + undoing + slice(verb.end, link.start) + toOrFrom + grantees
}

/** `create …` → `create or replace …`. */
export function orReplace(text: string): string {
  const { keywords, slice } = scan(text)
  const [create, next] = keywords
  if (create === undefined || next?.text.toLowerCase() === 'or') return text
  return `${slice(0, create.end)} or replace${slice(create.end)}`
}

function isWord(...words: readonly string[]): (token: ScanToken) => boolean {
  return (token) => words.includes(token.text.toLowerCase())
}

interface Scanned {
  readonly keywords: readonly ScanToken[]
  /** A part of the text. The parser counts bytes, and so does this. */
  readonly slice: (start: number, end?: number) => string
}

function scan(text: string): Scanned {
  const bytes = Buffer.from(text)
  return {
    keywords: scanSync(text).tokens.filter(
      ({ keywordName, tokenName }) => keywordName !== 'NO_KEYWORD' && !tokenName.endsWith('COMMENT'),
    ),
    slice: (start, end) => bytes.subarray(start, end).toString(),
  }
}
