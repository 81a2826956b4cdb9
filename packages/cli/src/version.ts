import manifest from '../package.json' with { type: 'json' }

/** Drover's own version. */
export const version: string = manifest.version
