import type { Problem } from '@drover/history'

/** One `--rename old=new`, as typed: what a thing was called, and what it is called now. */
export interface RenameOption {
  /** The option's value, as typed. */
  readonly text: string
  /** The parts of the old name, without quotes: `users.name` is `['users', 'name']`. */
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** A parsed option, or what is wrong with the text. */
export type RenameOptionResult =
  | { readonly ok: true; readonly option: RenameOption }
  | { readonly ok: false; readonly problem: Problem }

/**
 * Parses the value of `--rename`. Never throws. What it names is found later, by `resolveRenames`.
 *
 *     rename = name "=" name
 *     name   = part { "." part }            one to three parts
 *     part   = characters without . = "     or anything in double quotes, a quote in it doubled
 */
export function parseRename(text: string): RenameOptionResult {
  const sides = readSides(text)
  if (typeof sides === 'string') return { ok: false, problem: fault(text, sides) }
  const [from, to] = sides
  if (formatName(from) === formatName(to)) return { ok: false, problem: fault(text, 'both names are the same') }
  return { ok: true, option: { text, from, to } }
}

/** A rename as the value of `--rename`: `users.name=users.full_name`. */
export function formatRename(from: readonly string[], to: readonly string[]): string {
  return `${formatName(from)}=${formatName(to)}`
}

/** A rename as it is typed in a shell, the option's name included. */
export function formatRenameOption(from: readonly string[], to: readonly string[]): string {
  const text = formatRename(from, to)
  return /^[\w.=-]+$/.test(text) ? `--rename ${text}` : `--rename '${text.replaceAll("'", `'\\''`)}'`
}

/** The parts of a name, joined by dots; quoted where a part could be misread. */
export function formatName(parts: readonly string[]): string {
  return parts.map((part) => (/[.="]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part)).join('.')
}

const onePart = /(?:"((?:[^"]|"")+)"|([^.="]+))/y

/** Both sides of the sign, or what is wrong. */
function readSides(text: string): readonly [readonly string[], readonly string[]] | string {
  const sides: string[][] = [[]]
  let at = 0
  for (;;) {
    onePart.lastIndex = at
    const part = onePart.exec(text)
    if (!part) return at < text.length ? `a name is missing at character ${at + 1}` : 'it ends before a name'
    sides.at(-1)?.push(part[1]?.replaceAll('""', '"') ?? part[0])
    at = onePart.lastIndex
    if (at === text.length) break
    if (text[at] === '=') sides.push([])
    else if (text[at] !== '.') return `"." or "=" is missing at character ${at + 1}`
    at += 1
  }
  const [from, to, ...more] = sides
  if (!from || !to || more.length > 0) return `it has ${sides.length - 1} signs "=", and needs one`
  const long = [from, to].find((side) => side.length > 3)
  return long ? `"${formatName(long)}" has more than three parts` : [from, to]
}

function fault(text: string, reason: string): Problem {
  return {
    code: 'USAGE',
    message: `--rename "${text}" cannot be read: ${reason}`,
    hint:
      'give the old name and the new one, as in --rename users.name=users.full_name, --rename users=people or ' +
      `--rename app.users.name=app.users.full_name; a name with a dot goes in double quotes: --rename '"a.b"=c'`,
  }
}
