/** A command as a document shows it. */
export interface DocumentedCommand {
  /** Its line in the document, from 1. */
  readonly line: number
  readonly command: string
  /** What it prints, if the document shows that: `…` on a line of its own stands for any lines. */
  readonly output?: string
}

/**
 * Collects the commands of a Markdown document in order: every line of its `sh` blocks that is no comment, and every line of its
 * `console` blocks that begins with `$ ` and goes on with `> `, with the lines below it as the output.
 * @throws {Error} for a block without a language, because nobody could tell whether it holds commands
 */
export function readDocumentedCommands(markdown: string): readonly DocumentedCommand[] {
  const commands: DocumentedCommand[] = []
  for (const block of readBlocks(markdown)) {
    if (block.language === '') throw new Error(`line ${block.line}: the code block says no language`)
    if (block.language === 'sh') commands.push(...commandsOfScript(block))
    if (block.language === 'console') commands.push(...commandsOfSession(block))
  }
  return commands
}

interface Block {
  readonly language: string
  /** Of its fence, from 1. */
  readonly line: number
  readonly lines: readonly string[]
}

function readBlocks(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | undefined
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open && text === '```') {
      blocks.push(open)
      open = undefined
    } else if (open) {
      open.lines.push(text)
    } else if (text.startsWith('```')) {
      open = { language: text.slice(3).trim(), line: index + 1, lines: [] }
    }
  }
  return blocks
}

function commandsOfScript({ line, lines }: Block): readonly DocumentedCommand[] {
  return lines
    .map((text, index) => ({ line: line + 1 + index, command: text.replace(/\s+# .*$/, '').trim() }))
    .filter(({ command }) => command !== '' && !command.startsWith('#'))
}

function commandsOfSession({ line, lines }: Block): readonly DocumentedCommand[] {
  const starts = [...lines.keys()].filter((index) => lines[index]!.startsWith('$ '))
  return starts.map((start, at) => {
    const [first, ...rest] = lines.slice(start, starts[at + 1] ?? lines.length)
    const end = rest.findIndex((text) => !text.startsWith('> '))
    const more = rest.slice(0, end === -1 ? rest.length : end)
    return {
      line: line + 1 + start,
      command: [first!, ...more].map((text) => text.slice(2)).join('\n'),
      output: rest.slice(more.length).join('\n'),
    }
  })
}
