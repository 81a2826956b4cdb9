import { describe, expect, it } from 'vitest'

import { exampleHistory, exampleRun, exampleScripts } from './example-plan.ts'
import { type Message, writeTransaction } from './message.ts'

const context = { history: exampleHistory(1), run: exampleRun(), token: '7', lockTimeoutMs: 100, statementTimeoutMs: 0 }

describe('writeTransaction', () => {
  it('finds the statement, and the place in the file, of a position in the message', () => {
    const sql = '-- the tables\ncreate table first_table ();\n\ncreate table second_table ();\n'
    const message = messageOf(sql)

    expect(message.locate(positionOf(message, 'first_table'))).toEqual({
      statement: 0,
      offset: sql.indexOf('first_table'),
    })
    expect(message.locate(positionOf(message, 'second_table'))).toEqual({
      statement: 1,
      offset: sql.indexOf('second_table'),
    })
  })

  it.each([
    ['two bytes', 'ü'],
    ['three bytes', '数'],
    ['a surrogate pair', '😀'],
    ['several code points', '👩‍👩‍👧'],
  ])('counts characters as the server does: %s', (_, character) => {
    const sql = `select '${character.repeat(3)}';\n-- ${character}\nselect '${character}', nowhere;`
    const message = messageOf(sql)

    expect(message.locate(positionOf(message, 'nowhere'))).toEqual({ statement: 1, offset: sql.indexOf('nowhere') })
  })

  it('counts a Windows line ending as the two characters that it is', () => {
    const sql = 'select 1;\r\n\r\nselect nowhere;\r\n'
    const message = messageOf(sql)

    expect(message.locate(positionOf(message, 'nowhere'))).toEqual({ statement: 1, offset: sql.indexOf('nowhere') })
  })

  it('places an error at the end of a statement into that statement', () => {
    const sql = 'create table;select 2'
    const message = messageOf(sql)

    expect(message.locate(positionOf(message, 'create table;') + 'create table'.length)).toEqual({
      statement: 0,
      offset: 12,
    })
  })

  it('knows no place for what it has added itself', () => {
    const message = messageOf('select 1;')

    expect(message.locate(1)).toBeUndefined()
    expect(message.locate(positionOf(message, 'insert into drover.applied'))).toBeUndefined()
    expect(message.locate(message.sql.length + 100)).toBeUndefined()
  })

  it("does not send comments between statements, in which a semicolon or a quote would be nobody's", () => {
    expect(messageOf("-- it's; mine\nselect 1 /* a */;").sql).not.toContain("it's")
  })
})

function messageOf(sql: string): Message {
  const [script] = exampleScripts([{ up: sql }])
  return writeTransaction([script!], context).messages[0]!
}

/** Where a text is in the message, as PostgreSQL counts: characters from 1. */
function positionOf(message: Message, text: string): number {
  return Array.from(message.sql.slice(0, message.sql.indexOf(text))).length + 1
}
