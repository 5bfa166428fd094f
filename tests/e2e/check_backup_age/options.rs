//! Dumps of a real server, and by the options that change what they hold.

use std::fs;

use support::live::eventually;
use support::need;
use support::postgres::Cluster;

use crate::site::{Site, TABLES, protect, run};

const LEVELS: [&str; 3] = ["header", "structure", "full"];

#[test]
fn every_format_tells_what_the_server_has() {
    let site = Site::new();
    let (tables, with_data, _) = TABLES;
    for (letter, word) in [("t", "tar"), ("c", "custom"), ("d", "directory")] {
        site.dump(letter, &["-F", letter, "kwanza"]);
        for level in LEVELS {
            let said = site.check(&[&format!("{{}}/{letter}"), "--verify", level, "--database", "kwanza", "-v"]);
            said.has_code(0).says(&format!("{word} of database kwanza"));
            said.says(&format!(" tables={tables} tables_with_data={with_data};")).says("by pg_dump ");
        }
    }
    site.dump("p", &["-F", "p", "kwanza"]);
    let said = site.check(&["{}/p", "--verify", "full"]);
    said.has_code(0).says(&format!(" tables={tables} tables_with_data={with_data};"));
}

#[test]
fn every_wrapper_is_looked_into() {
    let site = Site::new();
    let path = site.dump("kwanza.tar", &["-F", "t", "kwanza"]).display().to_string();
    for (program, package, ending) in [
        ("gzip", "gzip", "gz"),
        ("xz", "xz-utils", "xz"),
        ("bzip2", "bzip2", "bz2"),
        ("zstd", "zstd", "zst"),
        ("lz4", "lz4", "lz4"),
    ] {
        let program = need(program, &format!("apt-get install {package}"));
        let file = site.path(&format!("kwanza.tar.{ending}"));
        let mut command = std::process::Command::new(program);
        run(command.args(["-c", "-q", &path]).stdout(fs::File::create(&file).unwrap()));
        protect(&file);
        let wrapped = file.display().to_string();
        site.check(&[&wrapped, "--database", "kwanza"]).has_code(0).says(" tables=8 ");
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        site.check(&[&wrapped, "--grace", "0"]).has_code(2).headlines("ends too early");
    }
}

#[test]
fn what_is_left_out_of_a_dump_is_told() {
    let site = Site::new();
    site.cluster.psql("CREATE DATABASE empty");
    site.dump("schema", &["-F", "c", "--schema-only", "kwanza"]);
    site.check(&["{}/schema"]).has_code(2).headlines("0 tables with data");
    site.check(&["{}/schema", "--schema-only"]).has_code(0);
    site.dump("data", &["-F", "c", "--data-only", "kwanza"]);
    site.check(&["{}/data", "--require-table", "devices"]).has_code(0);
    site.dump("empty", &["-F", "t", "empty"]);
    site.check(&["{}/empty"]).has_code(2).headlines("0 tables with data");
    site.dump("without", &["-F", "c", "--exclude-table-data=devices", "kwanza"]);
    site.check(&["{}/without", "--require-table", "devices"])
        .has_code(2)
        .headlines("the data of table devices is not in it");
    run(site.client("pg_dumpall").args(["--globals-only", "-f"]).arg(site.path("globals.sql")));
    protect(&site.path("globals.sql"));
    site.check(&["{}/data", "--require-globals", "globals*.sql"]).has_code(0);
}

#[test]
fn a_dump_that_was_killed_is_first_one_that_is_being_written() {
    let site = Site::of(Cluster::plan().start());
    site.cluster.psql("CREATE TABLE large AS SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 200000) i");
    site.dump("good.tar", &["-F", "t", "postgres"]);
    let path = site.path("killed.tar");
    let mut dump = site.client("pg_dump").args(["-F", "t", "-f"]).arg(&path).arg("postgres").spawn().unwrap();
    eventually("a part of the dump", || fs::metadata(&path).is_ok_and(|file| file.len() > 1_000_000));
    dump.kill().unwrap();
    dump.wait().unwrap();
    protect(&path);
    let arguments = ["{}", "--min-count", "1", "-v"];
    site.check(&arguments).has_code(0).headlines("good.tar begun").says("may be being written");
    let arguments = [&arguments[..], &["--grace", "0"]].concat();
    site.check(&arguments).has_code(2).headlines("newest dump killed.tar").says("pg_dump was killed");
}
