import { splitStatements } from '@drover/engine'
import { describe, expect, it } from 'vitest'

import { normalizeDump, schemaOf } from './normalize-dump.ts'

const dump = (parts: { readonly token?: string; readonly version?: string; readonly rest?: string } = {}) => `--
-- PostgreSQL database dump
--

\\restrict ${parts.token ?? 'aB1'}

-- Dumped from database version ${parts.version ?? '18.3'}
-- Dumped by pg_dump version 18.3

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


SET default_table_access_method = heap;

--
-- Name: a; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.a (
    id integer
);
${parts.rest ?? ''}

--
-- PostgreSQL database dump complete
--

\\unrestrict ${parts.token ?? 'aB1'}

`

describe('normalizeDump', () => {
  it('keeps the statements, and the settings that they need', () => {
    expect(normalizeDump(dump())).toBe(`SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE TABLE public.a (
    id integer
);
`)
  })

  it('is the same for another token, another version and other line ends', () => {
    const other = dump({ token: 'Zz9', version: '15.14' }).replaceAll('\n', '\r\n')

    expect(normalizeDump(other)).toBe(normalizeDump(dump()))
  })

  it('leaves alone what only looks like a command of psql, or like noise', () => {
    const value = `'\n\\unrestrict aB2\n\\connect x\nSET lock_timeout = 0;\n-- no comment'`
    const body = `$$\nbegin\n  -- why\n  SET lock_timeout = 0;\nend\n$$`
    const rest = `\nINSERT INTO public.a VALUES (${value});\nCREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS ${body};\n`

    const normal = normalizeDump(dump({ rest }))

    expect(normal).toContain(value)
    expect(normal).toContain(body)
    expect(splitStatements(normal)).toHaveLength(8)
  })

  it('keeps access methods where there are several', () => {
    const rest = `\nSET default_table_access_method = columnar;\n\nCREATE TABLE public.b (\n    id integer\n);\n`

    const normal = normalizeDump(dump({ rest }))

    expect(normal).toContain('SET default_table_access_method = heap;')
    expect(normal).toContain('SET default_table_access_method = columnar;')
  })

  it('puts the rows of a table together', () => {
    const rest = `\nINSERT INTO public.a VALUES (1);\n\nINSERT INTO public.a VALUES (2);\n`

    expect(normalizeDump(dump({ rest }))).toContain('VALUES (1);\nINSERT INTO public.a VALUES (2);\n')
  })
})

describe('schemaOf', () => {
  it('leaves out rows and where sequences stand', () => {
    const statements = [
      'CREATE TABLE public.a ()',
      'INSERT INTO public.a VALUES (1)',
      `SELECT pg_catalog.setval('public.a_id_seq', 1, false)`,
      `COMMENT ON TABLE public.a IS 'INSERT INTO public.a'`,
    ]

    expect(schemaOf(statements)).toEqual([statements[0], statements[3]])
  })
})
