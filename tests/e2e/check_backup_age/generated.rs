//! A thousand generated databases: none of their dumps may be refused.

use std::fmt::Write as _;
use std::thread;

use postgres::{Client as Connection, NoTls};
use support::postgres::Cluster;

use crate::good::{Client, sound};

const DATABASES: u64 = 1000;
const THREADS: u64 = 4;

/// The ways to dump, in turns.
const OPTIONS: [&[&str]; 14] = [
    &["-Ft"],
    &["-Fc"],
    &["-Fc", "-Z0"],
    &["-Fd"],
    &["-Fd", "-Z0"],
    &["-Fp"],
    &["-Ft", "--inserts"],
    &["-Fc", "--column-inserts", "--rows-per-insert=3", "-Z0"],
    &["-Fp", "-C", "--inserts"],
    &["-Fc", "-s"],
    &["-Ft", "-a"],
    &["-Fd", "-Z0", "--inserts", "-a"],
    &["-Ft", "-C", "--quote-all-identifiers", "--no-owner"],
    &["-Fp", "-a", "-E", "SQL_ASCII"],
];

/// Numbers that look random and are the same in every run (`xorshift64*`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    /// Text with what is special in SQL, in `COPY` and in what this suite looks for.
    fn text(&mut self) -> String {
        const PARTS: [&str; 22] = [
            "a",
            "Zz9",
            " ",
            "  ",
            "\t",
            "\n",
            "\r\n",
            "\\",
            "\\.",
            "\n\\.\n",
            "'",
            "\"",
            ";",
            "é",
            "日本",
            "🐘",
            "--",
            "\u{1}",
            "\n-- PostgreSQL database dump complete\n",
            "COPY t FROM stdin;\n",
            "\\N",
            "$$",
        ];
        (0..self.below(7)).map(|_| self.one_of(&PARTS)).collect()
    }

    /// A name, unique by its number.
    fn name(&mut self, number: u64) -> String {
        const PARTS: [&str; 10] =
            ["t", "Table", "od\"d", "with space", "semi;colon", "new\nline", "Type: TABLE; ", "é", "🐘", "back\\slash"];
        quoted(&format!("{}{number}", self.one_of(&PARTS)))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A database in SQL, and the number of rows in its tables.
fn database(random: &mut Random) -> (String, u64) {
    let mut sql = String::from(
        "SET client_min_messages = error; DROP SCHEMA IF EXISTS public, other CASCADE;
        SELECT lo_unlink(oid) FROM pg_largeobject_metadata; CREATE SCHEMA public; CREATE SCHEMA other;\n",
    );
    let mut rows = 0;
    for number in 0..random.below(6) {
        let schema = random.one_of(&["public", "other"]);
        let table = format!("{schema}.{}", random.name(number));
        let kind = random.below(8);
        let unlogged = if kind == 1 { "UNLOGGED" } else { "" };
        let partition = if kind == 2 { "PARTITION BY HASH (id)" } else { "" };
        let columns = "id int, a text, b bytea, c jsonb, d numeric, e timestamptz, f text[], g float8";
        writeln!(sql, "CREATE {unlogged} TABLE {table} ({columns}) {partition};").unwrap();
        if kind == 2 {
            for remainder in 0..2 {
                let part = quoted(&format!("part {number} {remainder}"));
                writeln!(sql, "CREATE TABLE {schema}.{part} PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER {remainder});").unwrap();
            }
        }
        let count = random.below(12);
        for row in 0..count {
            let (a, b, f) = (literal(&random.text()), literal(&random.text()), literal(&random.text()));
            let null = random.below(5) == 0;
            let a = if null { "NULL" } else { &a };
            let g = random.one_of(&["'NaN'", "'-Infinity'", "0.1", "1e300", "NULL"]);
            writeln!(
                sql,
                "INSERT INTO {table} VALUES ({row}, {a}, convert_to({b}, 'UTF8'), to_jsonb({b}::text), {row} * 1.10, now(), ARRAY[{f}, NULL], {g});"
            )
            .unwrap();
        }
        rows += count;
        match random.below(6) {
            0 => writeln!(sql, "CREATE INDEX ON {table} (a);").unwrap(),
            1 => writeln!(sql, "COMMENT ON TABLE {table} IS {};", literal(&random.text())).unwrap(),
            2 => writeln!(
                sql,
                "CREATE VIEW {schema}.v{number} AS SELECT a, {} AS x FROM {table};",
                literal(&random.text())
            )
            .unwrap(),
            3 => writeln!(sql, "CREATE MATERIALIZED VIEW {schema}.m{number} AS SELECT count(*) FROM {table};").unwrap(),
            4 => writeln!(sql, "ALTER TABLE {table} ADD COLUMN h int GENERATED ALWAYS AS (id + 1) STORED;").unwrap(),
            _ => {}
        }
    }
    for number in 0..random.below(3) {
        let body = literal(&format!("SELECT {}", literal(&random.text())));
        writeln!(sql, "CREATE FUNCTION f{number}() RETURNS text LANGUAGE sql AS {body};").unwrap();
        writeln!(sql, "CREATE SEQUENCE s{number} START 7; SELECT nextval('s{number}');").unwrap();
    }
    for _ in 0..random.below(3) {
        let size = random.one_of(&["0", "1", "2047", "2048", "2049", "20000"]);
        writeln!(sql, "SELECT lo_from_bytea(0, decode(repeat('00', {size}), 'hex'));").unwrap();
    }
    (sql, rows)
}

#[test]
fn of_a_thousand_generated_databases_no_dump_is_refused() {
    let cluster = Cluster::plan().setting("max_connections", "20").setting("synchronous_commit", "off").start();
    let client = Client::of_the_machine();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (cluster, client) = (&cluster, &client);
            cluster.psql(&format!("CREATE DATABASE g{thread}"));
            scope.spawn(move || {
                let name = format!("g{thread}");
                let server = format!("host={} port={}", cluster.socket_dir().display(), cluster.port());
                let mut connection =
                    Connection::connect(&format!("{server} user=postgres dbname={name}"), NoTls).unwrap();
                for number in (thread..DATABASES).step_by(4) {
                    let (sql, rows) = database(&mut Random(number * 7919 + 1));
                    connection.batch_execute(&sql).unwrap_or_else(|error| panic!("database {number}: {error}\n{sql}"));
                    is_sound(cluster, client, &name, number, rows);
                }
            });
        }
    });
}

/// Dumps a database in one of the ways, and looks at the dump.
fn is_sound(cluster: &Cluster, client: &Client, name: &str, number: u64, rows: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump");
    let options = OPTIONS[usize::try_from(number).unwrap() % OPTIONS.len()];
    client.write(cluster, "pg_dump", &[options, &[name]].concat(), &path);
    let what = format!("database {number} with {options:?}");
    let contents = sound(&path, &what).contents;
    if !options.iter().any(|option| matches!(*option, "-s" | "--inserts" | "--column-inserts")) {
        let found: u64 = contents.with_data.iter().map(|table| table.rows.unwrap()).sum();
        assert_eq!(found, rows, "{what}");
    }
}
