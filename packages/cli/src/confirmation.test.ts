import { describe, expect, it } from 'vitest'

import { type Confirmation, findObjection } from './confirmation.ts'
import type { CliIo } from './io.ts'
import { type CommonOptions, Session } from './session.ts'

/** Asks for a confirmation; `answer` is missing where nobody can be asked. */
async function ask(
  confirmation: Partial<Confirmation> = {},
  { answer, ...options }: CommonOptions & { readonly answer?: boolean } = {},
) {
  let stderr = ''
  const questions: string[] = []
  const confirm = async (question: string): Promise<boolean> => {
    questions.push(question)
    return answer === true
  }
  const io: CliIo = {
    stdout: { write: () => {}, isTTY: false },
    stderr: { write: (text) => void (stderr += text), isTTY: false },
    env: {},
    cwd: '/',
    confirm: answer === undefined ? undefined : confirm,
    onSignal: () => () => {},
    become: () => Promise.reject(new Error('nothing is to be started')),
  }
  const objection = await findObjection(new Session('stamp', io, options), {
    lines: ['main: will record 1 revision'],
    question: 'Really?',
    what: 'the stamp',
    databases: [databaseOf(false), databaseOf(true)].slice(0, 1),
    yes: undefined,
    ...confirmation,
  })
  return { objection, stderr, questions }
}

const shown = 'main: will record 1 revision\n'

describe('findObjection', () => {
  it('shows what will be done and asks, where somebody can be asked', async () => {
    expect(await ask({}, { answer: true })).toEqual({ objection: undefined, stderr: shown, questions: ['Really?'] })
    expect(await ask({}, { answer: false })).toMatchObject({ objection: { code: 'NOT_CONFIRMED' }, stderr: shown })
  })

  it('shows it in spite of --quiet to whom it asks, and to nobody else', async () => {
    expect(await ask({}, { answer: true, quiet: true })).toMatchObject({ stderr: shown })
    expect(await ask({}, { quiet: true })).toMatchObject({ objection: undefined, stderr: '' })
    expect(await ask({ yes: true }, { answer: true, quiet: true })).toMatchObject({ stderr: '' })
  })

  it('does not ask with --yes', async () => {
    const databases = [databaseOf(true)]

    expect(await ask({ yes: true, databases }, { answer: false })).toMatchObject({
      objection: undefined,
      questions: [],
    })
    expect(await ask({ yes: true, databases })).toMatchObject({ objection: undefined, stderr: shown })
  })

  it('goes on where nobody can be asked, unless a database is protected', async () => {
    expect(await ask()).toMatchObject({ objection: undefined, stderr: shown })
    expect(await ask({ databases: [databaseOf(false), databaseOf(true)] })).toMatchObject({
      objection: { code: 'NOT_CONFIRMED', database: 'vault', hint: 'confirm the stamp with --yes' },
    })
  })

  it('asks nothing where programs read stderr, and does not go on there without --yes', async () => {
    const { objection, stderr, questions } = await ask({}, { answer: true, log: 'json' })

    expect(objection).toMatchObject({ code: 'NOT_CONFIRMED', hint: 'confirm the stamp with --yes' })
    expect(questions).toEqual([])
    expect(JSON.parse(stderr)).toMatchObject({ level: 'info', event: 'progress', message: shown.trimEnd() })
    expect(await ask({ yes: true }, { answer: true, log: 'json' })).toMatchObject({ objection: undefined })
    expect(await ask({}, { log: 'json' })).toMatchObject({ objection: undefined })
  })

  it('asks about a protected database like about any other', async () => {
    expect(await ask({ databases: [databaseOf(true)] }, { answer: true })).toMatchObject({ objection: undefined })
  })
})

function databaseOf(isProtected: boolean): Confirmation['databases'][number] {
  const name = isProtected ? 'vault' : 'main'
  const config = {
    name,
    aliases: [],
    after: [],
    schema: 'schema.ts',
    url: [],
    database: name,
    migrations: 'migrations',
    objects: 'objects',
    protected: isProtected,
    foreign: [],
  }
  return {
    name,
    folder: `databases/${name}`,
    migrations: `databases/${name}/migrations`,
    objects: `databases/${name}/objects`,
    snapshot: `databases/${name}/schema.sql`,
    config,
  }
}
