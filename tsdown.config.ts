import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsdown'

// Every package builds with this file, from its own folder: its doors are the entries that its package.json names.
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest

export default defineConfig({
  cwd: process.cwd(), // tsdown would take the folder of this file
  entry: [...new Set([...Object.values(manifest.exports ?? {}), ...Object.values(manifest.bin ?? {})])],
  format: 'esm',
  platform: 'node',
  target: 'node24',
  fixedExtension: false,
  dts: true,
  publint: { strict: true },
})

interface Manifest {
  readonly exports?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
}
