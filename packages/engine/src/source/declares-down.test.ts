import { describe, expect, it } from 'vitest'

import { declaresDown } from './declares-down.ts'

describe('declaresDown', () => {
  it.each([
    ['a method', 'export default defineMigration({\n  async up() {},\n  async down({ sql }) {},\n})'],
    ['a method that does not wait', 'export default {\n  down() {\n  },\n}'],
    ['a property', 'export default defineMigration({\n  up,\n  down: revert,\n})'],
    ['a property in quotes', "export default {\n  'down': revert,\n}"],
    ['a shorthand', 'export default defineMigration({ up, down })'],
    ['a shorthand in a line of its own', 'export default {\n  up,\n  down\n}'],
    ['a method in one line with everything', 'export default { async up() {}, async down() {} }'],
  ])('sees %s', (_, code) => {
    expect(declaresDown(code)).toBe(true)
  })

  it.each([
    ['nothing of that name', 'export default defineMigration({\n  async up() {},\n})'],
    ['another word', 'export default {\n  up() {},\n  downloads: 1,\n  markdown() {},\n}'],
    ['a call of something', 'export default {\n  up() {\n    tree.down()\n    count(down)\n  },\n}'],
    ['a comment', 'export default {\n  up() {},\n  // async down() {},\n}'],
    ['a comment behind code', 'export default {\n  up() {}, // down: later, down()\n}'],
    ['a comment of several lines', 'export default {\n  up() {},\n  /*\n  async down() {},\n  */\n}'],
  ])('does not take for one: %s', (_, code) => {
    expect(declaresDown(code)).toBe(false)
  })
})
