import type { TenantFilter } from '@drover/orchestrator'

/** The options that choose tenants. */
export interface TenantChoice {
  readonly tenant?: readonly string[]
  readonly match?: readonly string[]
  readonly sample?: number
}

/**
 * Which tenants are meant: those that options name, or else the one that the environment does.
 * @param choice.slugs slugs as they are, whatever is in them, instead of `tenant`
 */
export function filterOf(
  { slugs: exact, tenant, match, sample }: TenantChoice & { readonly slugs?: readonly string[] },
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
