import { describe, expect, it } from 'vitest'

import { ConnectionUrl } from '../connect/connection-url.ts'
import { translateConnectionError } from './connection-error.ts'

const url = ConnectionUrl.parse('postgres://app:secret@pooler:6432/shop', 'SHOP_DATABASE_URL')

describe('translateConnectionError, of what a pooler says', () => {
  it.each([
    ['unsupported startup parameter: options', 'URL_INVALID', 'take it out of SHOP_DATABASE_URL, or name the server'],
    ['no such database: shop', 'UNREACHABLE', 'add it to the databases of the pooler, or correct the name in'],
    ['no more connections allowed (max_client_conn)', 'UNREACHABLE', 'run again when it is less busy'],
    ['query_wait_timeout', 'UNREACHABLE', 'run again when it is less busy'],
    ['pgbouncer cannot connect to server', 'UNREACHABLE', 'see the log of the pooler'],
  ])('names the pooler, what it has said and what to do: %s', (message, code, hint) => {
    const error = Object.assign(new Error(message), { code: '08P01', severity: 'FATAL' })

    expect(translateConnectionError(error, url)?.problems).toMatchObject([
      {
        code,
        message: `the pooler at pooler:6432 refused the connection: ${message}`,
        hint: expect.stringContaining(hint),
      },
    ])
  })

  it('takes a server that crashed behind it for a connection that was lost', () => {
    const error = Object.assign(new Error('server conn crashed?'), { code: '08P01', severity: 'FATAL' })

    expect(translateConnectionError(error, url)?.code).toBe('CONNECTION_LOST')
  })

  it('leaves the same state to the statement that has raised it on the server', () => {
    const error = Object.assign(new Error('mine'), { code: '08P01', severity: 'ERROR', routine: 'exec_stmt_raise' })

    expect(translateConnectionError(error, url)).toBeUndefined()
  })
})

describe('a session that the server ends', () => {
  it.each([
    ['25P03', 'waited for us too long'],
    ['57P05', 'waited for us too long'],
    ['25P04', 'its transaction took too long'],
    ['57P01', 'was lost'],
  ])('is a lost connection: %s', (code, text) => {
    const error = Object.assign(new Error('terminating connection'), { code, severity: 'FATAL', routine: 'x' })

    expect(translateConnectionError(error, url)?.problems).toMatchObject([
      { code: 'CONNECTION_LOST', sqlstate: code, message: expect.stringContaining(text) },
    ])
  })
})

describe('a server without a connection for us', () => {
  it('says whose limit it is', () => {
    const error = Object.assign(new Error('too many connections for role "ada"'), { code: '53300', severity: 'FATAL' })

    expect(translateConnectionError(error, url)?.problems).toMatchObject([
      { code: 'UNREACHABLE', serverNotes: ['too many connections for role "ada"'] },
    ])
  })
})
