import type { ServerFacts } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { type EnvironmentFacts, judgeEnvironment, judgeShadows } from './judge-environment.ts'

const healthy: EnvironmentFacts = {
  node: '24.21.0',
  userAgent: 'pnpm/12.21.0 npm/? node/v24.21.0 linux x64',
  packageManager: 'pnpm@12.21.0+sha512.abc',
  kit: '1.0.0-rc.5',
  orm: [{ database: 'main', version: '1.0.0-rc.5' }],
  dotEnv: 'ignored',
}

function found(facts: Partial<EnvironmentFacts>): readonly string[] {
  return judgeEnvironment({ ...healthy, ...facts })
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check }) => `${level} ${check}`)
}

describe('of a machine and a workspace', () => {
  it('there is nothing to say where all is well', () => {
    expect(found({})).toEqual([])
    expect(
      found({ userAgent: undefined, packageManager: undefined, orm: [], kit: undefined, dotEnv: undefined }),
    ).toEqual([])
  })

  it.each<[what: string, finding: string, facts: Partial<EnvironmentFacts>]>([
    ['an old Node', 'wrong node', { node: '22.19.0' }],
    ['another pnpm', 'warning packages', { userAgent: 'pnpm/11.0.0 npm/? node/v24.21.0 linux x64' }],
    ['another package manager', 'warning packages', { userAgent: 'npm/11.0.0 node/v24.21.0 linux x64' }],
    ['a missing drizzle-kit', 'wrong drizzle', { kit: undefined }],
    ['a missing drizzle-orm', 'wrong drizzle', { orm: [{ database: 'main', version: undefined }] }],
    ['another drizzle-orm', 'wrong drizzle', { orm: [{ database: 'main', version: '0.45.1' }] }],
    ['secrets in the repository', 'wrong .env', { dotEnv: 'tracked' }],
    ['secrets that may get there', 'warning .env', { dotEnv: 'untracked' }],
  ])('%s is found', (_, finding, facts) => {
    expect(found(facts)).toEqual([finding])
  })
})

describe('of the server for shadows', () => {
  const shadow = { mayCreateDatabases: true, user: 'me', version: 180_004, versionText: '18.4' }
  const judge = (facts: Partial<typeof shadow>, live: readonly number[]) =>
    judgeShadows({ ...serverFacts, ...shadow, ...facts }, live).level

  it.each<[level: string, what: string, facts: Partial<typeof shadow>, live: readonly number[]]>([
    ['ok', 'the same major version', {}, [180_001]],
    ['ok', 'no database that could be asked', {}, []],
    ['warning', 'another major version', {}, [180_001, 170_000]],
    ['wrong', 'a user who may not create databases', { mayCreateDatabases: false }, [180_001]],
  ])('%s: %s', (level, _, facts, live) => {
    expect(judge(facts, live)).toBe(level)
  })
})

const serverFacts: ServerFacts = {
  version: 0,
  versionText: '',
  isStandby: false,
  isSuperuser: false,
  mayCreateDatabases: true,
  mayCreateSchemas: true,
  user: '',
  storeOwner: null,
  isStoreOurs: false,
  isStoreOld: false,
  isEncrypted: false,
  clockMs: 0,
  clockAheadMs: 0,
  turnMs: 0,
  settings: {},
  invalidIndexes: [],
}
