#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::{Schema, emit, load, replay};
use crate::Diagnostics;

fn read(files: &[(&str, &str)]) -> Result<Schema, Diagnostics> {
    let mut schema = Schema::default();
    for (name, text) in files {
        replay::file(&mut schema, name, text)?;
    }
    Ok(schema)
}

fn mistakes(text: &str) -> String {
    read(&[("m.sql", text)]).unwrap_err().to_string()
}

fn row_types(text: &str) -> String {
    let schema = read(&[("m.sql", text)]).unwrap();
    let files = emit(&schema);
    files.iter().find(|file| file.path.ends_with("rows.rs")).unwrap().text().into_owned()
}

#[test]
fn schema_of_the_project_is_understood() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let schema = load(&directory).unwrap_or_else(|error| panic!("{error}"));
    assert!(schema.tables["strava_tokens"].column("refresh_token").unwrap().is_secret());
    assert_eq!(schema.enums["connection_state"].labels, ["connected", "revoked"]);
}

#[test]
fn schema_emits_every_kind_of_column() {
    let schema = read(&[(
        "0001_kinds.sql",
        "CREATE TYPE mood AS ENUM ('very-happy', 'sad');
         COMMENT ON TYPE mood IS 'How it feels.';
         CREATE TABLE public.Kinds (
             id bigserial PRIMARY KEY, a smallint NOT NULL, b integer[] NOT NULL, c real,
             d double precision, e boolean, f varchar(20), g bytea, h uuid, i timestamptz,
             j timestamp, k date, l time, m mood NOT NULL, n mood[], type text,
             generated bigint GENERATED ALWAYS AS IDENTITY,
             token text NOT NULL
         ) WITH (fillfactor = 50);
         COMMENT ON TABLE kinds IS 'All [kinds] of <columns>.
And a second line.';
         COMMENT ON COLUMN kinds.token IS 'Secret: opens the door.';",
    )])
    .unwrap();
    let text: Vec<String> =
        emit(&schema).iter().map(|file| format!("=== {}\n{}", file.path, file.text())).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn schema_follows_expand_and_contract() {
    let rows = row_types(
        "CREATE TYPE state AS ENUM ('on');
         CREATE TABLE old (a integer, b text NOT NULL, c text, d state);
         ALTER TABLE old RENAME TO things;
         ALTER TABLE things ADD COLUMN e uuid NOT NULL DEFAULT gen_random_uuid(), DROP COLUMN c;
         ALTER TABLE things RENAME COLUMN b TO bee;
         ALTER TABLE things ALTER COLUMN a SET NOT NULL, ALTER COLUMN bee DROP NOT NULL,
             ALTER COLUMN a TYPE bigint;
         ALTER TABLE things ADD COLUMN IF NOT EXISTS e uuid;
         ALTER TYPE state ADD VALUE 'off' BEFORE 'on';
         ALTER TYPE state RENAME TO power;
         CREATE TABLE gone (id integer);
         DROP TABLE gone;
         DROP TABLE IF EXISTS never;
         CREATE INDEX CONCURRENTLY things_a ON things (a) WHERE d IS NULL;
         CREATE TABLE keyed (x integer, y integer, PRIMARY KEY (x));
         INSERT INTO keyed VALUES (1, 2);",
    );
    insta::assert_snapshot!(rows);
}

#[test]
fn schema_output_is_byte_stable_and_sorted() {
    let a = "CREATE TABLE a (id integer);";
    let b = "CREATE TABLE b (id integer);";
    let one = emit(&read(&[("1.sql", a), ("2.sql", b)]).unwrap());
    let other = emit(&read(&[("1.sql", b), ("2.sql", a)]).unwrap());
    assert_eq!(one, other);
}

#[test]
fn schema_mistakes_have_a_place_and_advice() {
    let texts = [
        "CREATE TABLE t (\n  id integer,\n  doc jsonb\n);",
        "CREATE TABLE t (id integer);\nALTER TABLE u ADD COLUMN x integer;",
        "CREATE TABLE t (id integer);\nALTER TABLE t DROP COLUMN nope;",
        "CREATE TABLE t AS SELECT 1;",
        "CREATE TABLE t (id integer);\n  CREATE TABLE t (id integer);",
        "CREATE TABLE t (id integer) INHERITS (s);",
        "CREATE TABLE other.t (id integer);",
        "CREATE TABLE t (\"Id\" integer);",
        "CREATE TABLE t (self integer);",
        "CREATE TYPE e AS ENUM ('a', 'A b');",
        "CREATE TYPE e AS ENUM ('a_b', 'a-b');",
        "CREATE TYPE e AS ENUM ('a');\nCREATE TABLE t (e e);\nDROP TYPE e;",
        "CREATE TYPE t_row AS ENUM ('a');\nCREATE TABLE t (id integer);",
        "CREATE TYPE t AS (a integer);",
        "SELECT 1 INTO t;",
        "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$;",
        "CREATE TABLE t (id integer;\n",
        "CREATE TABLE t (id integer)\nCREATE TABLE u (id integer);",
        "CREATE TABLE t (name text DEFAULT 'unterminated);",
        "COMMENT ON COLUMN t.id IS 'x';",
        "ALTER SCHEMA public RENAME TO private;",
    ];
    let all: Vec<String> =
        texts.iter().map(|text| format!("{text}\n--> {}\n", mistakes(text))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn schema_files_are_ordered_by_version_and_their_names_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("10_alter.sql", "ALTER TABLE t ADD COLUMN x integer;");
    write("9_create.sql", "CREATE TABLE t (id integer);");
    write("9_create.down.sql", "DROP TABLE t;");
    write("README.md", "not a migration");
    assert_eq!(load(directory.path()).unwrap().tables["t"].columns.len(), 2);

    write("010_again.sql", "SELECT 1;");
    let twice = load(directory.path()).unwrap_err().to_string();
    assert!(twice.contains("has the same version as"), "{twice}");

    std::fs::remove_file(directory.path().join("010_again.sql")).unwrap();
    write("notes.sql", "SELECT 1;");
    let unnamed = load(directory.path()).unwrap_err().to_string();
    assert!(unnamed.contains("notes.sql: is not named like a migration"), "{unnamed}");
}
