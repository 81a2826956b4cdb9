/** Which process made a database. */
export interface Maker {
  /** Tells machines and containers apart, by which a process id means nothing to the others; 6 hex digits. */
  readonly place: string
  readonly pid: number
  /** Tells apart the processes that had this id one after the other; 6 hex digits. */
  readonly birth: string
}

/** What the name of a database for one test says. */
export interface Made {
  readonly maker: Maker
  /** To the second. */
  readonly at: Date
}

/** Databases for tests begin with it, as do templates that are being made. */
export const madePrefix = 'drover_test_'

/** Templates begin with it. */
export const templatePrefix = 'drover_template_'

/**
 * Names a database after who makes it and when, so that whoever finds it later knows whether it is still needed. All that
 * PostgreSQL would cut off or has to have quoted is left out.
 * @param random 6 hex digits
 */
export function nameDatabase(database: string, { maker, at }: Made, random: string): string {
  const seconds = Math.trunc(at.getTime() / 1000).toString(36)
  const { place, pid, birth } = maker
  return `${madePrefix}${labelOf(database, 12)}_${seconds}_${place}_${pid.toString(36)}_${birth}_${random}`
}

/** Reads such a name; `undefined` for every other one, which is somebody else's business. */
export function parseDatabaseName(name: string): Made | undefined {
  const parts = pattern.exec(name)
  if (!parts) return undefined
  const [, seconds = '', place = '', pid = '', birth = ''] = parts
  return { maker: { place, pid: Number.parseInt(pid, 36), birth }, at: new Date(Number.parseInt(seconds, 36) * 1000) }
}

const pattern = new RegExp(
  `^${madePrefix}[a-z0-9_]{1,12}_([0-9a-z]{6,7})_([0-9a-f]{6})_([0-9a-z]{1,6})_([0-9a-f]{6})_[0-9a-f]{6}$`,
)

/** Names the template of a database. @param key hex digits, of which the first 16 are used */
export function nameTemplate(database: string, key: string): string {
  return `${templatePrefix}${labelOf(database, 20)}_${key.slice(0, 16)}`
}

/** Readable, and short enough for all of a name to fit into the 63 bytes that PostgreSQL keeps. */
function labelOf(database: string, length: number): string {
  return database.replaceAll(/[^a-z0-9_]/g, '_').slice(0, length)
}

/** What is known of a database whose name says who made it. */
export interface Remnant {
  readonly made: Made
  /** How many sessions it has. */
  readonly sessions: number
}

/** What a process knows when it looks for what others have left behind. */
export interface Onlooker {
  readonly place: string
  readonly now: Date
  /** Whether the process of that id and birth is at work on this machine. */
  readonly lives: (maker: Maker) => boolean
}

/** How long a database of another machine is believed to be needed, in milliseconds: a day. */
const longest = 24 * 60 * 60 * 1000

/**
 * Whether nobody needs a database any more: its maker on this machine is gone; or it is of another machine, a day old, and
 * nobody is connected to it.
 */
export function isLeftover({ made, sessions }: Remnant, { place, now, lives }: Onlooker): boolean {
  if (made.maker.place === place) return !lives(made.maker)
  return sessions === 0 && now.getTime() - made.at.getTime() > longest
}
