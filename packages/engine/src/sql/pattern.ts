import { quoteLiteral } from './quote.ts'

/** SQL: a text as a regular expression that matches nothing but this text. */
export function escapePattern(text: string): string {
  return `regexp_replace(${text}, ${quoteLiteral(String.raw`([].^$*+?(){}|\\[])`)}, ${quoteLiteral(String.raw`\\\1`)}, 'g')`
}

/** SQL: a text as what is put in place of the matches of a regular expression. */
export function escapeReplacement(text: string): string {
  return `replace(${text}, ${quoteLiteral('\\')}, ${quoteLiteral('\\\\')})`
}
