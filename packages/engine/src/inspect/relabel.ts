/**
 * A definition with another name in place of its schema's. What is a name of something in the schema, and not a text or an alias that
 * only looks like one, the server tells by leaving the schema out where the search_path has it.
 * @param full the definition with every schema
 * @param bare the same without the schema
 * @param own the schema's name as the server writes it: in quotes where SQL wants them
 * @param label what to write in its place
 */
export function relabel(full: string, bare: string, own: string, label: string): string {
  if (full === bare) return full
  const [ownForms, labelForms] = [formsOf(own), formsOf(label)]
  const forms = ownForms.map((form) => RegExp.escape(form)).join('|')
  // Operators in a schema have a syntax of their own.
  const mention = new RegExp(String.raw`OPERATOR\((?:${forms})\.([^)]+)\)|(?<![\w$.])(?:${forms})\.`, 'g')
  const mentions = [...full.matchAll(mention)]
  const between = splitAround(full, mentions)
  const pattern = between
    .map((text, index) => RegExp.escape(text) + (index < mentions.length ? writeEither(mentions[index]!) : ''))
    .join('')
  const kept = new RegExp(`^${pattern}$`, 's').exec(bare)
  return between
    .map((text, index) => {
      const [whole, operator] = mentions[index] ?? ['']
      // The server may write more than that differently, such as a function that the search_path makes ambiguous.
      if (kept && kept[index + 1] !== operator) return text + whole
      if (whole === '') return text
      const form = ownForms.findIndex((one) => whole.endsWith(`${one}.`) || whole.startsWith(`OPERATOR(${one}.`))
      const replaced = `${labelForms[form]}.`
      return text + (operator === undefined ? replaced : `OPERATOR(${replaced}${operator})`)
    })
    .join('')
}

/**
 * A definition in which names of things in a schema that is not the definition's own have their schema in quotes where the server
 * writes none, so that they can be told from those of a schema that is given this name.
 * @param schema as the server writes it. One that has quotes stays as it is
 * @param except names of things that stay as they are
 */
export function quoteForeign(definition: string, schema: string, except: ReadonlySet<string>): string {
  if (schema.startsWith('"') || !definition.includes(`${schema}.`)) return definition
  // The body of a function is a text.
  const [head, body] = splitBefore(definition, '\nAS ')
  const token = new RegExp(
    String.raw`"(?:[^"]|"")*"|'((?:[^']|'')*)'(::reg[a-z]+)?|(?<![\w$."])${RegExp.escape(schema)}\.(?=("(?:[^"]|"")+"|[^\s"'(),.:;[\]]+))`,
    'g',
  )
  const quoted = head.replaceAll(token, (whole, text?: string, registered?: string, name?: string) => {
    if (name !== undefined) return except.has(name) ? whole : `"${schema}".`
    if (text === undefined || registered === undefined || !text.startsWith(`${schema}.`)) return whole
    const rest = text.slice(schema.length)
    return except.has(rest.slice(1)) ? whole : `'"${schema}"${rest}'${registered}`
  })
  return quoted + body
}

/** A name in a definition, and in a constant. */
function formsOf(name: string): readonly string[] {
  return [name, name.replaceAll("'", "''")]
}

/** The text around matches: one more than there are. */
function splitAround(text: string, matches: readonly RegExpExecArray[]): readonly string[] {
  const starts = [0, ...matches.map((match) => match.index + match[0].length)]
  return starts.map((start, index) => text.slice(start, matches[index]?.index))
}

/** A group for what the server left of a mention; empty where it left out a schema. */
function writeEither([whole, operator]: RegExpExecArray): string {
  return operator === undefined ? `(${RegExp.escape(whole)})??` : `(${RegExp.escape(operator)}|${RegExp.escape(whole)})`
}

function splitBefore(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at)]
}
