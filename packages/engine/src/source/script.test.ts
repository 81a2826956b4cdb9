import { checksum, checksumWithStatements, compareChecksums, type Revision } from '@drover/history'
import { describe, expect, it } from 'vitest'

import { exampleWorkspace } from './example-workspace.ts'
import { findScriptProblems, readChecksums, readScript, type Script } from './script.ts'
import { splitStatements } from './statements.ts'

const revision: Revision = {
  id: '0123456789ab',
  parents: [],
  dependsOn: [],
  labels: [],
  message: 'add users',
  created: '2026-11-20T14:30:00Z',
  folder: 'databases/main/migrations/20261120143000_add_users',
  reversible: true,
}
const up = '20261120143000_add_users/migration.sql'
const down = '20261120143000_add_users/down.sql'

describe('readScript', () => {
  it('reads and takes apart one side of a revision', async () => {
    using workspace = exampleWorkspace({ [up]: 'create table t ();\n', [down]: 'drop table t;\n' })

    const script = await readScript(workspace.source.root, revision, 'down')

    expect(script).toEqual({
      revision,
      direction: 'down',
      file: `${revision.folder}/down.sql`,
      sql: 'drop table t;\n',
      statements: splitStatements('drop table t;\n'),
      checksum: checksumWithStatements('drop table t;\n', ['drop table t']),
    })
  })

  it('drops a byte-order mark, and gives the same checksum with and without it and for every kind of line ending', async () => {
    using plain = exampleWorkspace({ [up]: 'select 1;\nselect 2;\n' })
    using windows = exampleWorkspace({ [up]: '\uFEFFselect 1;\r\nselect 2;\r\n' })

    const one = await readScript(plain.source.root, revision, 'up')
    const other = await readScript(windows.source.root, revision, 'up')

    expect(other.checksum).toBe(one.checksum)
    expect(other.sql.startsWith('select')).toBe(true)
    expect(await readChecksums(windows.source.root, [revision])).toEqual(new Map([[revision.id, one.checksum]]))
  })

  it('reads code as it is, and any edit of it is a change', async () => {
    const code = 'export default { up() {} }\n'
    using workspace = exampleWorkspace({ '20261120143000_add_users/migration.ts': code })

    const script = await readScript(workspace.source.root, { ...revision, language: 'typescript' }, 'down')

    expect(script).toMatchObject({
      file: `${revision.folder}/migration.ts`,
      sql: code,
      statements: [],
      checksum: checksum(code),
    })
    expect(compareChecksums(script.checksum, checksum(`// ${code}`))).toBe('changed')
  })

  it('refuses code beside SQL', async () => {
    using workspace = exampleWorkspace({ [up]: 'select 1', '20261120143000_add_users/migration.ts': '' })

    await expect(readScript(workspace.source.root, revision, 'up')).rejects.toThrow(
      'has a migration.sql and a migration.ts',
    )
  })

  it('refuses a file that is missing', async () => {
    using workspace = exampleWorkspace({ [up]: '' })

    await expect(readScript(workspace.source.root, revision, 'down')).rejects.toMatchObject({
      code: 'REVISION_INVALID',
      message: `${revision.folder}/down.sql cannot be read`,
    })
  })

  it.each<[encoding: string, bytes: Uint8Array]>([
    ['Latin-1', Buffer.from("select 'Größe'", 'latin1')],
    ['UTF-16 with a byte-order mark', Buffer.from('\uFEFFselect 1', 'utf16le')],
    ['UTF-16 without one', Buffer.from('select 1', 'utf16le')],
  ])('refuses a file in %s', async (_, bytes) => {
    using workspace = exampleWorkspace({ [up]: bytes })

    await expect(readScript(workspace.source.root, revision, 'up')).rejects.toMatchObject({
      code: 'REVISION_INVALID',
      message: `${revision.folder}/migration.sql is not valid UTF-8`,
    })
    await expect(readChecksums(workspace.source.root, [revision])).rejects.toMatchObject({ code: 'REVISION_INVALID' })
  })
})

describe('readChecksums', () => {
  const original = 'create table t (); -- first\ninsert into t default values;\n'
  it('keeps its second half when comments and white space are edited, and only then', async () => {
    const before = await checksumInFolder(original)
    const after = await checksumInFolder('create table t (\n);\n\n/* second */ insert into t default values')

    expect(after).not.toBe(before)
    expect(after.split('/')[1]).toBe(before.split('/')[1])
    expect((await checksumInFolder(original.replace('insert', 'Insert'))).split('/')[1]).not.toBe(before.split('/')[1])
  })

  it('does not read a file again whose text is known to be the recorded one', async () => {
    const row = { id: revision.id, checksum: `${checksum(original)}/statements`, appliedAt: '' }
    const texts = new Map([[revision.id, checksum(original)]])

    expect(await readChecksums('/nowhere', [revision], [row], texts)).toEqual(new Map([[revision.id, row.checksum]]))
    await expect(readChecksums('/nowhere', [revision], [], texts)).rejects.toMatchObject({ code: 'REVISION_INVALID' })
  })

  it('answers with what is recorded while the text is the same, also where that knows nothing of the statements', async () => {
    expect(await checksumInFolder(original, checksum(original))).toBe(checksum(original))
    expect(await checksumInFolder(original, checksum('another'))).toBe(await checksumInFolder(original))
  })
})

describe('findScriptProblems', () => {
  it.each([
    'create table t ();',
    'rollback_everything();',
    "comment on table t is 'begin';",
    '-- drover:unfilledness is another word',
    "select '-- drover:unfilled in the middle of a line';",
    'create function f() returns int begin atomic select 1; end;',
    "copy t from '/tmp/rows';",
    '',
  ])('has nothing against %j', (sql) => {
    expect(findScriptProblems(scriptOf(sql))).toEqual([])
  })

  it('finds the marker of a side that is still to be written', () => {
    const script = scriptOf("select '-- drover:unfilled';\n  -- drover:unfilled: write here\n")

    expect(findScriptProblems(script)).toMatchObject([
      {
        code: 'UNFILLED',
        revision: revision.id,
        file: script.file,
        line: 2,
        message: `${script.file} is not filled in yet`,
      },
    ])
  })

  it.each([
    'begin',
    'BEGIN isolation level serializable',
    'start transaction',
    'start /* a */ transaction',
    'commit',
    'end',
    'rollback',
    'rollback work',
    'abort',
    "prepare transaction 'x'",
    "commit prepared 'x'",
  ])('refuses %j, which would tear the change from the record of it', (sql) => {
    const script = scriptOf(`select 1;\n\n-- why\n${sql};\nselect 2`)

    expect(findScriptProblems(script)).toMatchObject([
      {
        code: 'OWN_TRANSACTION',
        line: 4,
        statement: sql,
        message: `${script.file}:4: 0123456789ab "add users" begins or ends a transaction of its own`,
      },
    ])
  })

  it.each(['copy t from stdin', 'COPY t (a, b) FROM STDIN WITH (format csv)', 'copy (select 1) to stdout'])(
    'refuses %j, which waits for rows that nobody sends',
    (sql) => {
      expect(findScriptProblems(scriptOf(`select 1;\n${sql};`))).toMatchObject([
        { code: 'REVISION_INVALID', line: 2, statement: sql },
      ])
    },
  )

  it('refuses what cannot run in a transaction, unless its revision says that it does not', () => {
    const sql = '-- fast\nselect 1;\ncreate index concurrently i on t (a);'
    const script: Script = {
      revision,
      direction: 'up',
      file: 'x/migration.sql',
      sql,
      statements: splitStatements(sql),
      checksum: checksum(sql),
    }

    expect(findScriptProblems(script)).toMatchObject([
      {
        code: 'OUTSIDE_TRANSACTION',
        line: 3,
        statement: 'create index concurrently i on t (a)',
        hint: expect.stringContaining(`"transaction": "none" into ${revision.folder}/revision.json`),
      },
    ])
    expect(findScriptProblems({ ...script, revision: { ...revision, transaction: 'none' } })).toEqual([])
  })

  it('refuses what is opened and never closed, and names the line where it begins', () => {
    const script = scriptOf("create table t ();\ninsert into t\n  values ('it's');\n")

    expect(findScriptProblems(script)).toMatchObject([
      {
        code: 'REVISION_INVALID',
        line: 3,
        message: `${script.file}:3: the string that begins in this line is never closed`,
      },
    ])
  })
})

function scriptOf(sql: string): Script {
  const file = `${revision.folder}/migration.sql`
  return { revision, direction: 'up', file, sql, statements: splitStatements(sql), checksum: checksum(sql) }
}

async function checksumInFolder(sql: string, recorded?: string): Promise<string> {
  using workspace = exampleWorkspace({ [up]: sql })
  const applied = recorded === undefined ? [] : [{ id: revision.id, checksum: recorded, appliedAt: '' }]
  return (await readChecksums(workspace.source.root, [revision], applied)).get(revision.id)!
}
