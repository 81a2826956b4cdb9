import type { TransactionSql } from 'postgres'

import { endsTransaction } from '../source/script.ts'
import { splitStatements } from '../source/statements.ts'

/** A client that is tied to a transaction. */
export interface TransactionClient {
  readonly sql: TransactionSql
  /** Refuses everything from now on: what the code did not wait for would run behind the transaction, and stay. */
  close(): void
  /** What was asked of the client that it refuses. The code may have caught it, and must not succeed all the same. */
  readonly misuse: Error | undefined
}

/**
 * Wraps the driver's client of a transaction so that the transaction cannot be ended over it, nor anything be sent behind
 * its end.
 */
export function tieToTransaction(client: TransactionSql): TransactionClient {
  let open = true
  let misuse: Error | undefined
  const refuse = (message: string): never => {
    misuse ??= new Error(message)
    throw misuse
  }
  const check = (text: string) => {
    if (!open) refuse('it uses sql after it has returned: it has to wait for ("await") everything that it begins')
    if (mayEnd.test(text) && splitStatements(text).some((statement) => endsTransaction(statement.text))) {
      refuse(
        `it begins or ends a transaction ("${text.trim()}"), and it is in one already, together with the record of it; sql.savepoint is for what may fail`,
      )
    }
  }
  const tie = (target: TransactionSql): TransactionSql =>
    new Proxy(target, {
      apply: (_, self, args: readonly unknown[]): unknown => {
        const text = textOf(args[0])
        if (text !== undefined) check(text)
        return Reflect.apply<unknown, readonly unknown[], unknown>(target, self, args)
      },
      get: (_, name): unknown => {
        if (name === 'unsafe') {
          return (...args: Parameters<TransactionSql['unsafe']>) => {
            check(args[0])
            return target.unsafe(...args)
          }
        }
        if (name === 'savepoint') {
          return (...args: readonly unknown[]) => {
            check('')
            const act = args.find((arg) => typeof arg === 'function')
            const label = args.find((arg) => typeof arg === 'string')
            const tied = (inner: TransactionSql): unknown => act?.(tie(inner))
            return label === undefined ? target.savepoint(tied) : target.savepoint(label, tied)
          }
        }
        if (typeof name === 'string' && othersTransaction.has(name)) {
          return () =>
            refuse(`it calls sql.${name}, and it is in a transaction already; sql.savepoint is for what may fail`)
        }
        return Reflect.get(target, name)
      },
    })
  return {
    sql: tie(client),
    close: () => {
      open = false
    },
    get misuse() {
      return misuse
    },
  }
}

/** What the client of a whole connection can do; the driver's has no such functions in a transaction, but for the last. */
const othersTransaction: ReadonlySet<string> = new Set(['begin', 'reserve', 'end', 'close', 'prepare'])

/** Cheap: nearly no statement has any of these words, and taking one apart takes its time. */
const mayEnd = /\b(?:begin|start|commit|end|rollback|abort|prepare)\b/i

/** The text of a tagged template. Anything else is a part of one. */
function textOf(first: unknown): string | undefined {
  return Array.isArray(first) && 'raw' in first ? first.join('null') : undefined
}
