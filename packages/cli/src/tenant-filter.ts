import type { TenantFilter } from '@drover/orchestrator'

/** The options that choose tenants. */
interface TenantChoice {
  /** Slugs as they are, whatever is in them. They go before `tenant`. */
  readonly slugs?: readonly string[]
  readonly tenant?: readonly string[]
  readonly match?: readonly string[]
  readonly sample?: number
}

/** Which tenants are meant: those that options name, or else the one that the environment does. */
export function filterOf(
  { slugs: exact, tenant, match, sample }: TenantChoice,
  environment: Readonly<Record<string, string | undefined>>,
): TenantFilter {
  const named = exact ?? (tenant ?? []).flatMap((list) => list.split(',')).map((slug) => slug.trim())
  const fromEnvironment = environment['TENANT_ID']?.trim()
  const slugs = named.length === 0 && fromEnvironment ? [fromEnvironment] : named
  return {
    ...(slugs.length > 0 && { slugs }),
    ...(match && { match: match.flatMap((list) => list.split(',')) }),
    ...(sample !== undefined && { sample }),
  }
}
