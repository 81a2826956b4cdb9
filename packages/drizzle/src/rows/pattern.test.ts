import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { samplePattern } from './pattern.ts'

describe('samplePattern', () => {
  it.each([
    '^[a-z0-9-]+$',
    String.raw`^\+?[0-9 ()./-]{4,32}$`,
    '^[a-z][a-z0-9_]*([.:][a-z][a-z0-9_]*)*$',
    '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
    '^[A-Z]{3}-\\d{4}$',
    '^(GET|POST)$',
    '^#[0-9a-fA-F]{6}$',
    '^[^@ ]+@[^@ ]+\\.[a-z]+$',
    '^(?:a|b)c?$',
    '^[]a]$',
  ])('makes texts that fit %s', (pattern) => {
    const samples = samplePattern(pattern)

    expect(samples.length).toBeGreaterThan(1)
    const fits = new RegExp(pattern.replace('[]', String.raw`[\]`), 'u')
    expect(samples.filter((sample) => !fits.test(sample))).toEqual([])
  })

  it('understands named classes', () => {
    expect(samplePattern('^[[:upper:]]{2}[[:digit:]]$')).toContain('AB2')
  })

  it('makes nothing of what is no regular expression', () => {
    expect(samplePattern('(')).toEqual([])
    expect(samplePattern('*a')).toEqual([])
  })

  it('keeps to a length that a database takes', () => {
    const samples = samplePattern('(((a{999}){999}){999}|(^){999999999})')

    expect(Math.max(...samples.map((sample) => sample.length))).toBeLessThan(10_000)
  })

  it('ends, whatever the text, and makes each sample once', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab1[](){}|*+?^$\\-,.:')) }), (pattern) => {
        const samples = samplePattern(pattern)
        expect(new Set(samples).size).toBe(samples.length)
      }),
    )
  })
})
