import { createHash, timingSafeEqual } from 'node:crypto'

const masked = 'Secret(***)'

/** `inspect.custom` of node:util, which takes its time to load. */
export const inspected: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/**
 * A text that must not be printed, such as a password. As text, as JSON and in inspections it is `Secret(***)`, whatever
 * it holds; only `reveal` gives it out.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. For drivers and other programs, and for nothing that prints. */
  reveal(): string {
    return this.#text
  }

  /** Whether both hold the same text. How long the answer takes says nothing about either. */
  equals(other: Secret): boolean {
    return timingSafeEqual(digest(this.#text), digest(other.#text))
  }

  toString(): string {
    return masked
  }

  toJSON(): string {
    return masked
  }

  [inspected](): string {
    return masked
  }
}

/** Texts of different lengths have digests of one length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
