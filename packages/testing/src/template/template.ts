import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { type ConnectionUrl, openConnection, quoteIdentifier, quoteLiteral } from '@drover/engine'
import { DroverError } from '@drover/history'

import { upgradeTo } from '../migrate.ts'
import type { Subject, Wanted } from '../subject.ts'
import { type Administrator, codeOf, openAdministrator } from './administrator.ts'
import { nameDatabase, nameTemplate } from './database-name.ts'
import { collectLeftovers, collectTemplates, noteUse } from './leftovers.ts'
import { ensureOwner, type Owner } from './owner.ts'
import { templateKey } from './template-key.ts'
import { thisProcess } from './this-process.ts'

/**
 * Creates a database with a name that says who made it, as a copy of the template that holds its history; that is made first
 * where the server does not have it. Returns the name.
 * @throws {DroverError} with everything that went wrong while the template was made
 */
export async function createFromTemplate(server: ConnectionUrl, wanted: Wanted): Promise<string> {
  const { name: database } = wanted.subject.database
  const template = nameTemplate(database, await templateKey(wanted))
  const name = newName(database)
  await using administrator = openAdministrator(server)
  await collectOnce(administrator, server)
  const copy = () => administrator.copy(template, name, wanted.owner?.user)
  while (!(await copy())) await ensureTemplate(administrator, server, template, wanted)
  await noteUseOnce(administrator, server, template)
  return name
}

/**
 * Creates a database with such a name, empty but for the extensions that an administrator has to make for its history. Returns the
 * name.
 * @throws {DroverError} when the server does not have one of them, or its user may not
 */
export async function createEmpty(server: ConnectionUrl, { subject, owner }: Omit<Wanted, 'target'>): Promise<string> {
  const name = newName(subject.database.name)
  await using administrator = openAdministrator(server)
  await collectOnce(administrator, server)
  await fillEmpty(administrator, server, name, { subject, ...(owner && { owner }) })
  return name
}

/** Drops a database, whoever is still connected to it. */
export async function dropDatabase(server: ConnectionUrl, name: string): Promise<void> {
  await using administrator = openAdministrator(server)
  await administrator.drop(name)
}

async function fillEmpty(
  administrator: Administrator,
  server: ConnectionUrl,
  name: string,
  { subject, owner }: Omit<Wanted, 'target'>,
): Promise<void> {
  if (owner) await ensureOwner(administrator, owner)
  await administrator.copy('template0', name, owner?.user)
  try {
    await createExtensions(server.withDatabase(name), subject)
  } catch (error) {
    await administrator.drop(name)
    throw error
  }
}

async function createExtensions(url: ConnectionUrl, { database }: Subject): Promise<void> {
  const extensions = database.config.access?.extensions ?? []
  if (extensions.length === 0) return
  await using connection = openConnection(url)
  for (const extension of extensions) {
    try {
      await connection.send(`create extension if not exists ${quoteIdentifier(extension)}`)
    } catch (error) {
      if (codeOf(error) === undefined || !(error instanceof Error)) throw error
      throw new DroverError(
        {
          code: 'STATEMENT_FAILED',
          database: database.name,
          message: `the extension ${extension}, which ${database.folder}/database.ts declares, cannot be created on the server for tests: ${error.message}`,
          hint: 'take a server that has it: name it in DROVER_TEST_SERVER, with a user who may create it',
          sqlstate: codeOf(error)!,
        },
        { cause: error },
      )
    }
  }
}

/**
 * Makes a template, or waits while another process makes it. One at a time does, by an advisory lock that is asked for again and
 * again: a session that waits for one would keep `create index concurrently` from ever ending. Whoever makes it does so under
 * another name; so what is called a template is whole, and what somebody who was killed has left is no template.
 */
async function ensureTemplate(
  administrator: Administrator,
  server: ConnectionUrl,
  template: string,
  wanted: Wanted,
): Promise<void> {
  const lock = `hashtextextended(${quoteLiteral(template)}, 0)`
  for (;;) {
    const [row] = await administrator.send(`select pg_try_advisory_lock(${lock}) as ours`)
    if (row?.['ours'] === true) {
      try {
        // Looked at now and not with the lock, when a maker may not have been done.
        if (!(await isThere(administrator, template))) await makeTemplate(administrator, server, template, wanted)
        return
      } finally {
        await administrator.send(`select pg_advisory_unlock(${lock})`)
      }
    }
    await sleep(20 + Math.random() * 30)
    if (await isThere(administrator, template)) return
  }
}

async function isThere(administrator: Administrator, name: string): Promise<boolean> {
  return (await administrator.send(`select from pg_database where datname = ${quoteLiteral(name)}`)).length > 0
}

async function makeTemplate(
  administrator: Administrator,
  server: ConnectionUrl,
  template: string,
  { subject, target, owner }: Wanted,
): Promise<void> {
  const making = newName(subject.database.name)
  await collectLeftovers(administrator)
  await fillEmpty(administrator, server, making, { subject, ...(owner && { owner }) })
  try {
    await upgradeTo(subject, urlOf(server, making, owner), target)
    // Nobody can be connected to what is copied.
    await administrator.send(`
alter database ${quoteIdentifier(making)} with allow_connections false;
alter database ${quoteIdentifier(making)} rename to ${quoteIdentifier(template)}`)
  } catch (error) {
    await administrator.drop(making)
    // Behind a pooler two may have made it.
    if (codeOf(error) !== '42P04') throw error
  }
  await noteUse(administrator, template)
  await collectTemplates(administrator, subject.database.name)
}

/** Where a database is, for whom it belongs to. */
export function urlOf(server: ConnectionUrl, name: string, owner: Owner | undefined): ConnectionUrl {
  const url = server.withDatabase(name)
  return owner ? url.withLogin(owner.user, owner.password) : url
}

function newName(database: string): string {
  return nameDatabase(database, { maker: thisProcess(), at: new Date() }, randomBytes(3).toString('hex'))
}

/** What this process has done already, by server: it takes longer than a copy should. */
const collected = new Set<string>()
const noted = new Set<string>()

async function collectOnce(administrator: Administrator, server: ConnectionUrl): Promise<void> {
  if (collected.has(server.place)) return
  collected.add(server.place)
  // With many processes that start together, one of them is enough.
  const lock = `hashtextextended('drover leftovers of tests', 0)`
  const [row] = await administrator.send(`select pg_try_advisory_lock(${lock}) as ours`)
  if (row?.['ours'] !== true) return
  try {
    await collectLeftovers(administrator)
  } finally {
    await administrator.send(`select pg_advisory_unlock(${lock})`)
  }
}

async function noteUseOnce(administrator: Administrator, server: ConnectionUrl, template: string): Promise<void> {
  const key = `${server.place} ${template}`
  if (noted.has(key)) return
  noted.add(key)
  await noteUse(administrator, template)
}
