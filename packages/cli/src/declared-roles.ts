import type { Database } from '@drover/orchestrator'

/** The roles that a database declares. What these may do is made by `init` and proved by `access`: it is no drift. */
export function declaredRoles({ config: { access } }: Database): readonly string[] {
  return access ? [access.owner, access.app, access.readonly] : []
}

/** The extensions that `init` creates, as `foreign` would declare them. */
export function declaredExtensions({ config: { access } }: Database): readonly string[] {
  return (access?.extensions ?? []).map((name) =>
    /^[a-z][a-z0-9_]*$/.test(name) ? `extension ${name}` : `extension "${name}"`,
  )
}
