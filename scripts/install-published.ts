import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

// Builds the packages, packs them as they would be published, and installs them in a folder outside of the workspace, each with nothing
// but what it declares. Usage: install-published.ts <folder>
const root = join(import.meta.dirname, '..')
const folder = resolve(process.argv[2] ?? '')
const tarballs = join(folder, 'tarballs')
rmSync(tarballs, { recursive: true, force: true })
mkdirSync(tarballs, { recursive: true })

pnpm(root, 'exec', 'turbo', 'run', 'build', '--filter=./packages/*')
pnpm(root, '--recursive', '--filter=./packages/*', 'pack', '--pack-destination', tarballs)
const files = readdirSync(tarballs).map(
  (file) => [`@drover/${file.replace(/^drover-|-\d.*$/g, '')}`, `file:${join(tarballs, file)}`] as const,
)
const dependencies = {
  ...Object.fromEntries(files),
  // What schemas import, the workspace has itself.
  'drizzle-orm': 'catalog:',
  // What those install who use a fleet.
  'pg-boss': 'catalog:',
}
writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
// The settings of this workspace, without its packages. Versions that are on no registry yet come from beside.
const settings = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').replace(/^packages:\n(?: {2}.*\n)+/m, '')
const overrides = files.map(([name, file]) => `  ${JSON.stringify(name)}: ${JSON.stringify(file)}\n`)
writeFileSync(join(folder, 'pnpm-workspace.yaml'), `${settings}\noverrides:\n${overrides.join('')}`)
pnpm(folder, 'install', '--no-frozen-lockfile', '--prefer-offline')

function pnpm(cwd: string, ...args: readonly string[]): void {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', CI: 'true' }
  // What they print is progress, and stdout is for answers.
  execFileSync('npx', ['-y', 'pnpm@12.21.0', ...args], { cwd, env, stdio: ['ignore', 2, 2] })
}
