import {
  acrossVersions,
  type CatalogDifference,
  compareCatalogs,
  type ForeignPrivilege,
  type ForeignReference,
} from '@drover/engine'
import { allHeads, type Problem, type Revision } from '@drover/history'

import { problemsOf } from '../release/fleet.ts'
import type { Host } from './host.ts'
import type { NamedTenant } from './name-tenant.ts'
import type { TenantFailure } from './outcome.ts'
import type { TenantFilter } from './registry.ts'
import { TenantReader, type TenantSet } from './tenant-set.ts'

/** What the schema of tenants is to be that have had certain revisions. */
interface ExpectedSchema {
  readonly fingerprint: string
  readonly catalog: readonly string[]
}

/** How tenants are proved to be what they should be. */
export interface VerifyOptions {
  readonly filter: TenantFilter
  /** Builds the schema that some revisions make. */
  readonly build: (revisions: readonly Revision[]) => Promise<ExpectedSchema>
  /** The major version of the server that it is built on. */
  readonly version: number
  /** Called with how many tenants have been looked at. */
  readonly onProgress?: (looked: number) => void
}

/** What was found of one tenant. */
export interface TenantFindings {
  readonly tenant: NamedTenant
  /** Empty where there is but one. */
  readonly server: string
  /** How it is not what the history makes; the first hundred tenants are told in full, of the others `undefined` says that they differ. */
  readonly differences: readonly CatalogDifference[] | undefined
  /** What in it needs something of somebody else. */
  readonly references: readonly ForeignReference[]
  /** Who else can do something in it. */
  readonly privileges: readonly ForeignPrivilege[]
}

/** What was found of all tenants. */
export interface Verification {
  /** How many tenants were looked at. */
  readonly looked: number
  /** How many of them have not had all revisions: they were compared with what they have had. */
  readonly behind: number
  /** Those that are not as they should be. */
  readonly findings: readonly TenantFindings[]
  readonly unusable: readonly TenantFailure[]
  readonly unread: readonly { readonly server: string; readonly problem: Problem }[]
  /** Servers of another major version than that where the history was built, of whose tenants something was found. */
  readonly otherVersions: readonly { readonly server: string; readonly version: number }[]
}

/** How many tenants are read in one query, which reads much of the catalogues however few those are. */
const chunk = 1000

/** So many tenants are told in full. */
const mostDetailed = 100

/**
 * Proves that each tenant is what its revisions make, and that nobody else is in it: one query over many schemas for each question, and a
 * closer look at those that are not like the others.
 */
export async function verifyTenants(set: TenantSet, options: VerifyOptions): Promise<Verification> {
  const reader = new TenantReader(set, { direction: 'up', target: allHeads })
  const standards = new Standards(set.about.history.revisions, options)
  const versions = new Map<Host, number>()
  const findings: TenantFindings[] = []
  const unusable: TenantFailure[] = []
  const unread: { readonly server: string; readonly problem: Problem }[] = []
  let [looked, behind] = [0, 0]
  for await (const page of reader.pages(options.filter, 5000)) {
    unusable.push(...page.unusable)
    unread.push(...page.unread.map(({ host, problem }) => ({ server: host.name, problem })))
    for (const { host, tenants, state, plan } of page.groups) {
      if (plan.kind === 'steps') behind += tenants.length
      for (let at = 0; at < tenants.length; at += chunk) {
        const some = tenants.slice(at, at + chunk)
        try {
          const version = versions.get(host) ?? (await host.readVersion())
          versions.set(host, version)
          const standard = await standards.of(state.applied, version)
          findings.push(...(await verifyChunk(host, some, standard, mostDetailed - findings.length)))
        } catch (error) {
          unread.push({ server: host.name, problem: problemsOf(error, set.about.database.name)[0]! })
        }
        looked += some.length
        options.onProgress?.(looked)
      }
    }
  }
  const odd = new Set(findings.map(({ server }) => server))
  const otherVersions = [...versions]
    .map(([{ name }, version]) => ({ server: name, version }))
    .filter(({ server, version }) => version !== options.version && odd.has(server))
  return { looked, behind, findings, unusable, unread, otherVersions }
}

/** What tenants are compared with. */
interface Standard {
  /** Without what another version writes in a different way, where that server is of one. */
  readonly catalog: readonly string[]
  /** The fingerprints of what is like it, as far as they are known: on a server of another version, they are others. */
  readonly sound: Set<string>
  /** Whether that server is of another version. */
  readonly isOther: boolean
}

/** What tenants are compared with, by what they have had and by the version of their server. */
class Standards {
  readonly #revisions: readonly Revision[]
  readonly #options: VerifyOptions
  readonly #schemas = new Map<string, Promise<ExpectedSchema>>()
  readonly #standards = new Map<string, Standard>()

  constructor(revisions: readonly Revision[], options: VerifyOptions) {
    this.#revisions = revisions
    this.#options = options
  }

  async of(applied: readonly Pick<Revision, 'id'>[], version: number): Promise<Standard> {
    const ids = new Set(applied.map(({ id }) => id))
    const key = [...ids].toSorted().join(' ')
    const built = this.#schemas.get(key) ?? this.#options.build(this.#revisions.filter(({ id }) => ids.has(id)))
    this.#schemas.set(key, built)
    const { catalog, fingerprint } = await built
    const isOther = version !== this.#options.version
    const known = this.#standards.get(`${version} ${key}`)
    const standard = known ?? {
      catalog: isOther ? acrossVersions(catalog) : catalog,
      isOther,
      sound: new Set(isOther ? [] : [fingerprint]),
    }
    this.#standards.set(`${version} ${key}`, standard)
    return standard
  }
}

async function verifyChunk(
  host: Host,
  tenants: readonly NamedTenant[],
  standard: Standard,
  mostDetails: number,
): Promise<readonly TenantFindings[]> {
  const fingerprints = await host.fingerprint(tenants, { isBare: true })
  const { references, privileges } = await host.findStrangers(tenants)
  const findings: TenantFindings[] = []
  for (const tenant of tenants) {
    const fingerprint = fingerprints.get(tenant.target) ?? ''
    const isKnown = standard.sound.has(fingerprint)
    // Of another version's fingerprint nothing is known before it was looked at.
    const differences = isKnown
      ? []
      : standard.isOther || findings.length < mostDetails
        ? compare(standard, await host.readCatalog(tenant))
        : undefined
    const isSame = isKnown || (standard.isOther && differences?.length === 0)
    if (isSame) standard.sound.add(fingerprint)
    const own = {
      tenant,
      server: host.name,
      references: references.filter(({ schema }) => schema === tenant.target),
      privileges: privileges.filter(({ schema }) => schema === tenant.target),
    }
    if (!isSame || own.references.length > 0 || own.privileges.length > 0) {
      findings.push({ ...own, differences: findings.length < mostDetails || isSame ? differences : undefined })
    }
  }
  return findings
}

function compare({ catalog, isOther }: Standard, found: readonly string[]): readonly CatalogDifference[] {
  return compareCatalogs(catalog, isOther ? acrossVersions(found) : found)
}
