import { describe, expect, it } from 'vitest'

import { exampleRevisions, exportExample, problemsOfExample } from './example-export.ts'
import { type ExportFormat, exportHistory } from './export-history.ts'
import { isExported } from './exported-file.ts'

const users = { up: '-- People.\ncreate table users (name text);\n', down: 'drop table users\n' }
const count = {
  up: `create function one() returns int language plpgsql as $$ begin return 1; end $$;\nselect one(); -- 1\n`,
}
const index = {
  transaction: 'none',
  up: 'create index concurrently a on users (name);\n-- Again.\ncreate index concurrently b on users (name);\n',
  down: 'drop index concurrently b;\ndrop index concurrently a;\n',
} as const
const noWayBack = `do $drover$
begin
  raise exception using message = 'revision 000000000001 cannot be reverted: nobody wrote a way back';
end
$drover$;`
const all: readonly ExportFormat[] = ['sql', 'golang-migrate', 'goose', 'dbmate', 'flyway']
const open = {}

describe('for psql', () => {
  it('writes plain scripts, and one that runs them, each in a transaction unless it has none', () => {
    expect(exportExample([users, index], 'sql')).toEqual({
      '20261101000000_000000000001.up.sql': '-- People.\ncreate table users (name text);\n',
      '20261101000000_000000000001.down.sql': 'drop table users\n;\n',
      '20261102000000_000000000002.up.sql': `-- Without a transaction, statement by statement.\n${index.up}`,
      '20261102000000_000000000002.down.sql': `-- Without a transaction, statement by statement.\n${index.down}`,
      'upgrade.sql': `
\\set ON_ERROR_STOP on
set client_encoding = 'UTF8';

begin;
\\ir 20261101000000_000000000001.up.sql
commit;

\\ir 20261102000000_000000000002.up.sql
`.slice(1),
    })
  })

  it('leaves out a way back that nobody wrote', () => {
    expect(Object.keys(exportExample([count], 'sql'))).toEqual(['20261101000000_000000000001.up.sql', 'upgrade.sql'])
  })
})

describe('for golang-migrate', () => {
  it('gives each statement without a transaction a file, and undoes them in order', () => {
    const files = exportExample([users, index], 'golang-migrate')

    expect(files).toEqual({
      '20261101000000_000000000001.up.sql': '-- People.\ncreate table users (name text);\n',
      '20261101000000_000000000001.down.sql': 'drop table users\n;\n',
      '20261102000000_000000000002_1_of_2.up.sql': 'create index concurrently a on users (name);\n',
      '20261102000000_000000000002_1_of_2.down.sql': 'drop index concurrently a;\n',
      '20261102000001_000000000002_2_of_2.up.sql': '-- Again.\ncreate index concurrently b on users (name);\n',
      '20261102000001_000000000002_2_of_2.down.sql': 'drop index concurrently b;\n',
    })
  })

  it('fills up the shorter side with files that do nothing', () => {
    const files = exportExample([{ ...index, down: 'drop index concurrently a, b;' }], 'golang-migrate')

    expect(files['20261101000000_000000000001_1_of_2.down.sql']).toBe('-- Nothing to do.\n')
    expect(files['20261101000001_000000000001_2_of_2.down.sql']).toBe('drop index concurrently a, b;\n')
  })

  it('refuses on the way down what has no way back, where the runner would go past it', () => {
    expect(exportExample([count], 'golang-migrate')['20261101000000_000000000001.down.sql']).toBe(`${noWayBack}\n`)
  })
})

describe('for goose', () => {
  it('says where a statement begins and ends that has semicolons or dashes in it', () => {
    expect(exportExample([count], 'goose')).toEqual({
      '20261101000000_000000000001.sql': `-- +goose Up
-- +goose StatementBegin
create function one() returns int language plpgsql as $$ begin return 1; end $$;
-- +goose StatementEnd

select one();

-- +goose Down
-- +goose StatementBegin
${noWayBack}
-- +goose StatementEnd
`,
    })
  })

  it('says what has no transaction', () => {
    expect(exportExample([index], 'goose')['20261101000000_000000000001.sql']).toBe(`-- +goose NO TRANSACTION
-- +goose Up
create index concurrently a on users (name);

-- Again.
create index concurrently b on users (name);

-- +goose Down
drop index concurrently b;

drop index concurrently a;
`)
  })

  it('keeps together what has transactions of its own', () => {
    const [text] = Object.values(exportExample([{ transaction: 'own', up: 'begin; select 1; commit;' }], 'goose'))

    expect(text).toContain('-- +goose StatementBegin\nbegin; select 1; commit;\n-- +goose StatementEnd')
  })
})

describe('for dbmate', () => {
  it('writes both sides into a file', () => {
    expect(exportExample([users, count], 'dbmate')).toEqual({
      '20261101000000_000000000001.sql': `-- migrate:up
-- People.
create table users (name text);

-- migrate:down
drop table users
;
`,
      '20261102000000_000000000002.sql': `-- migrate:up
${count.up}
-- migrate:down
${noWayBack.replace('000000000001', '000000000002')}
`,
    })
  })

  it('gives each statement without a transaction a file', () => {
    expect(exportExample([index], 'dbmate')).toEqual({
      '20261101000000_000000000001_1_of_2.sql': `-- migrate:up transaction:false
create index concurrently a on users (name);

-- migrate:down transaction:false
drop index concurrently a;
`,
      '20261101000001_000000000001_2_of_2.sql': `-- migrate:up transaction:false
-- Again.
create index concurrently b on users (name);

-- migrate:down transaction:false
drop index concurrently b;
`,
    })
  })
})

describe('for Flyway', () => {
  it('writes settings beside what has no transaction, and no way back that nobody wrote', () => {
    expect(exportExample([count, index], 'flyway')).toEqual({
      'V20261101000000__000000000001.sql': count.up,
      'V20261102000000__000000000002.sql': index.up,
      'V20261102000000__000000000002.sql.conf': 'executeInTransaction=false\n',
      'U20261102000000__000000000002.sql': index.down,
      'U20261102000000__000000000002.sql.conf': 'executeInTransaction=false\n',
    })
  })

  it('turns placeholders off where the SQL has what looks like one', () => {
    const files = exportExample([{ up: `select '\${name}';` }], 'flyway')

    expect(files['V20261101000000__000000000001.sql.conf']).toBe('placeholderReplacement=false\n')
  })
})

describe('with a schema', () => {
  it.each([
    ['sql', '20261101000000_000000000001.up.sql', '"{{schema}}"'],
    ['golang-migrate', '20261101000000_000000000001.up.sql', '"{{schema}}"'],
    ['flyway', 'V20261101000000__000000000001.sql', '"${schema}"'],
  ] as const)(
    'begins with what stands for it in files for %s, and ends with what was there before',
    (to, name, token) => {
      expect(exportExample([users], to, open)[name]).toBe(
        `set local search_path to ${token};\n${users.up}set local search_path to default;\n`,
      )
    },
  )

  it('begins both sides with it in a file of both', () => {
    const [text] = Object.values(exportExample([users], 'dbmate', { behind: ['shared'] }))

    expect(text?.match(/^set local search_path to "\{\{schema\}\}", "shared";$/gm)).toHaveLength(2)
  })

  it('has goose replace nothing else', () => {
    const [text] = Object.values(exportExample([{ up: `select '$HOME';` }], 'goose', open))

    expect(text).toContain(`-- +goose ENVSUB ON
set local search_path to "\${SCHEMA}";
-- +goose ENVSUB OFF

select '$HOME';
`)
  })

  it('that is named has its name, quoted, and sets the session where there is no transaction', () => {
    const files = exportExample([index], 'flyway', { name: 'a"b' })

    expect(files['V20261101000000__000000000001.sql']).toBe(
      `set search_path to "a""b";\n${index.up}reset search_path;\n`,
    )
  })

  it('refuses one that PostgreSQL cannot have', () => {
    expect(() => exportExample([users], 'sql', { name: '' })).toThrow(
      expect.objectContaining({ code: 'NAME_UNUSABLE' }),
    )
  })
})

it.each(['set search_path = app;', 'create temp table t ();', `select set_config('a.b', 'c', false);`])(
  'cleans the session for the runner and the next revision behind "%s"',
  (up) => {
    for (const format of all) {
      const [text] = Object.values(exportExample([{ up, down: '' }], format))

      expect(text).toContain('reset session authorization; reset role; reset all; discard temp;')
    }
  },
)

describe('findExportProblems', () => {
  it.each(all)('finds nothing in ordinary revisions for %s', (format) => {
    expect(problemsOfExample([users, count, index, { transaction: 'own', up: 'begin; commit;' }], format)).toEqual([])
  })

  it.each(all)('refuses what runs in batches, for %s', (format) => {
    const batch = { pauseMs: 0 }

    expect(problemsOfExample([users, { batch, up: 'delete from users;', down: '' }], format)).toEqual([
      {
        code: 'EXPORT_REFUSED',
        revision: '000000000002',
        file: 'migrations/2/migration.sql',
        message:
          'migrations/2/migration.sql: 000000000002 "step 2" runs in batches, whose ends nobody knows before they run',
        hint: expect.stringContaining('take "batch" out of migrations/2/revision.json'),
      },
    ])
  })

  it('says in which line a runner would be led astray', () => {
    const [problem] = problemsOfExample([{ up: 'select 1;\n\n select 2; -- +goose Down\n' }], 'goose')

    expect(problem).toMatchObject({ code: 'EXPORT_REFUSED', file: 'migrations/1/migration.sql', line: 3 })
  })

  it.each([
    ['sql', String.raw`select \gexec`, 'backslash'],
    ['dbmate', 'select $$\n-- migrate:down\n$$;', 'beginning of a block'],
    ['goose', 'select $$\n-- +GOOSE up\n$$;', 'annotation'],
    ['goose', 'select $$a\r\nb$$;', 'carriage return'],
    ['flyway', String.raw`select E'it\'s; so';`, String.raw`string with \'`],
    ['flyway', 'select 1 /* a /* b */ ; */;', 'comment in a comment'],
    ['flyway', 'prepare p as select $1;', 'dollar'],
  ] as const)('refuses for %s: %s', (format, up, what) => {
    expect(problemsOfExample([{ up }], format)).toEqual([
      expect.objectContaining({ code: 'EXPORT_REFUSED', message: expect.stringContaining(what) }),
    ])
  })

  it.each([
    ['goose', 'select 1;\r\nselect 2;\r\n'],
    ['flyway', String.raw`select 'it''s \', '/* /*', $$ $1 \' $$, a$1 from b; -- $1 '`],
    ['flyway', 'select 1 /* a */ /* b */;'],
    ['sql', String.raw`select '\';`],
  ] as const)('lets pass for %s: %s', (format, up) => {
    expect(problemsOfExample([{ up }], format)).toEqual([])
  })

  it.each(['golang-migrate', 'dbmate'] as const)('refuses for %s what cannot be sent as messages', (format) => {
    const whatOf = (up: string, transaction: 'none' | 'own', schema?: object) =>
      problemsOfExample([{ up, transaction }], format, schema).map(({ message }) => message)

    expect(whatOf('set a.b = 1; vacuum;', 'none')).toEqual([expect.stringContaining('sets something for its later')])
    expect(whatOf('vacuum;', 'none', open)).toEqual([expect.stringContaining('nothing can say the schema')])
    expect(whatOf('begin; commit; vacuum;', 'own')).toEqual([expect.stringContaining('cannot run in one')])
    expect(whatOf('select 1; call p();', 'own')).toEqual([expect.stringContaining('calls a procedure')])
    expect(whatOf('call p();', 'own')).toEqual([])
    for (const [up, transaction] of [
      ['set a.b = 1; vacuum;', 'none'],
      ['begin; commit; vacuum;', 'own'],
    ] as const) {
      expect(problemsOfExample([{ up, transaction }], 'goose', open)).toEqual([])
    }
  })

  it.each([
    ['flyway', '${x}'],
    ['dbmate', '{{schema}}'],
  ] as const)('refuses for %s what would be filled in like the schema, unless that is named', (format, text) => {
    const up = `select '${text}';`

    expect(problemsOfExample([{ up }], format, open)).toHaveLength(1)
    expect(problemsOfExample([{ up }], format, { name: 'acme' })).toEqual([])
    expect(problemsOfExample([{ up }], format)).toEqual([])
  })
})

describe('isExported', () => {
  it.each(all)('knows every file for %s, and that it is of these migrations', (format) => {
    const files = exportHistory(exampleRevisions([users, index]), { format, migrations: 'migrations' })

    for (const { text } of files) {
      expect(isExported(text, 'migrations')).toBe(true)
      expect(isExported(`${text}edited`, 'migrations')).toBe(true)
      expect(isExported(text.replaceAll('\n', '\r\n'), 'migrations')).toBe(true)
      expect(isExported(text, 'databases/gdpr/migrations')).toBe(false)
    }
    expect(isExported('create table users ();', 'migrations')).toBe(false)
  })
})
