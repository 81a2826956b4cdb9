/** Builds the URL of a database on a server, every part percent-encoded. The database defaults to `postgres`. */
export function serverUrl(
  server: { readonly host: string; readonly port: number; readonly user: string; readonly password: string },
  database = 'postgres',
): string {
  const login = `${encodeURIComponent(server.user)}:${encodeURIComponent(server.password)}`
  const host = server.host.includes(':') ? `[${server.host}]` : server.host
  return `postgres://${login}@${host}:${server.port}/${encodeURIComponent(database)}`
}
