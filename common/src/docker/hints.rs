//! What log lines tell about a fault: one table, which rules of the user's own extend. Pure.

use std::borrow::Cow;

/// What a log line that matches means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Parts that a line has in this order, in lower case.
    pattern: Cow<'static, str>,
    /// The kind of fault in two or three words, for the first line.
    pub class: Cow<'static, str>,
    /// What it means, one sentence without a full stop.
    pub meaning: Cow<'static, str>,
    /// What to do next; may be empty.
    pub next: Cow<'static, str>,
    /// Whether it tells of a fault even while the container runs; else it only explains.
    pub is_fault: bool,
}

impl Rule {
    /// A rule of the user's own. The pattern may hold `*`; case does not matter.
    pub fn new(pattern: &str, class: &str, meaning: &str, next: &str) -> Self {
        let owned = |text: &str| Cow::Owned(text.to_owned());
        Self {
            pattern: Cow::Owned(pattern.to_lowercase()),
            class: owned(class),
            meaning: owned(meaning),
            next: owned(next),
            is_fault: true,
        }
    }

    const fn fault(pattern: &'static str, class: &'static str, meaning: &'static str, next: &'static str) -> Self {
        Self::built_in(pattern, class, meaning, next, true)
    }

    /// What is no fault by itself and yet explains why a container ended or is not ready.
    const fn event(pattern: &'static str, class: &'static str, meaning: &'static str, next: &'static str) -> Self {
        Self::built_in(pattern, class, meaning, next, false)
    }

    const fn built_in(
        pattern: &'static str,
        class: &'static str,
        meaning: &'static str,
        next: &'static str,
        is_fault: bool,
    ) -> Self {
        Self {
            pattern: Cow::Borrowed(pattern),
            class: Cow::Borrowed(class),
            meaning: Cow::Borrowed(meaning),
            next: Cow::Borrowed(next),
            is_fault,
        }
    }

    /// Whether it tells what a server goes through while it runs, which explains no end.
    pub fn is_passing(&self) -> bool {
        !self.is_fault && matches!(self.class.as_ref(), "recovering" | "starting")
    }

    /// Whether `line`, which is in lower case, has all parts of the pattern in their order.
    fn matches(&self, line: &str) -> bool {
        let mut rest = line;
        self.pattern.split('*').all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

const DF: &str = "df -h; docker system df; make room, or give the volume more";
const MEMORY: &str = "free -m; docker stats; raise mem_limit in docker-compose.yml, or give the host more memory";
const FILES: &str = "raise ulimits: nofile in docker-compose.yml; check_docker_host --only files tells who holds them";
const FSCK: &str =
    "dmesg -T --level=err,warn; stop the containers, unmount and fsck, restore a backup where data is lost";
const PORTS: &str = "ss -ltnp shows who has the port; stop that, or change ports: in docker-compose.yml";
const RIGHTS: &str = "ls -ln on the volume; chown it to the user that the container runs as";
const RESTORE: &str = "do not reset the WAL: copy the volume first, then restore the latest backup (pg_restore)";
const VERSION: &str = "set the image back to that version, or dump and restore into a new volume";
const CLIENTS: &str = "check_postgres --only connections; raise max_connections, or find who keeps connections";
const DATABASE: &str = "docker-compose ps; start postgres first and look at its log";
const CERTIFICATE: &str = "openssl x509 -noout -subject -dates -in FILE; put a valid certificate and its key in place";
const COMMAND: &str = "check command:, entrypoint: and image: in docker-compose.yml";
const BUG: &str = "keep its log for the support, then start it again";

/// The rules, the more specific before the more general. The first that matches a line counts.
pub static RULES: &[Rule] = &[
    // Its message ends like that of a full disk.
    Rule::fault(
        "could not resize shared memory segment",
        "low memory",
        "PostgreSQL has too little shared memory in /dev/shm",
        "raise shm_size in docker-compose.yml",
    ),
    Rule::fault("no space left on device", "disk full", "the filesystem that it writes to is full", DF),
    Rule::fault("disk quota exceeded", "disk full", "the quota of the filesystem that it writes to is used up", DF),
    Rule::fault("could not extend file", "disk full", "PostgreSQL cannot make a table larger", DF),
    Rule::fault("not enough space", "disk full", "the filesystem that it writes to is full", DF),
    Rule::fault("cannot allocate memory", "low memory", "it gets no more memory", MEMORY),
    Rule::fault("out of memory", "low memory", "it gets no more memory", MEMORY),
    Rule::fault("outofmemoryerror", "low memory", "its heap is used up", MEMORY),
    Rule::fault("bad_alloc", "low memory", "it gets no more memory", MEMORY),
    Rule::fault(
        "could not map anonymous shared memory",
        "low memory",
        "PostgreSQL cannot get its shared buffers",
        MEMORY,
    ),
    Rule::fault(
        "was terminated by signal 9",
        "low memory",
        "one of its processes was killed, mostly for lack of memory",
        MEMORY,
    ),
    Rule::fault("too many open files", "too many open files", "it may open no more files", FILES),
    Rule::fault("file table overflow", "too many open files", "the host can open no more files", FILES),
    Rule::fault("structure needs cleaning", "corrupt file system", "the filesystem is damaged", FSCK),
    Rule::fault("input/output error", "corrupt file system", "the disk or filesystem fails", FSCK),
    Rule::fault(
        "read-only file system",
        "corrupt file system",
        "the filesystem is read-only, mostly because the kernel found it damaged",
        FSCK,
    ),
    Rule::fault("stale file handle", "corrupt file system", "the network filesystem lost its server", FSCK),
    Rule::fault("address already in use", "port in use", "another program or container listens on its port", PORTS),
    Rule::fault("port is already allocated", "port in use", "another container has its port", PORTS),
    Rule::fault(
        "bind*permission denied",
        "permission denied",
        "it may not listen on its port",
        "ports below 1024 need root or the capability NET_BIND_SERVICE",
    ),
    Rule::fault(
        "data directory*has wrong ownership",
        "wrong ownership",
        "the data directory belongs to another user",
        RIGHTS,
    ),
    Rule::fault(
        "data directory*has invalid permissions",
        "wrong ownership",
        "others may look into the data directory",
        "chmod 0700 the data directory on the volume",
    ),
    Rule::fault(
        "data directory*has group or world access",
        "wrong ownership",
        "others may look into the data directory",
        "chmod 0700 the data directory on the volume",
    ),
    Rule::fault(
        "database files are incompatible with server",
        "wrong version",
        "the data directory belongs to another major version of PostgreSQL",
        VERSION,
    ),
    Rule::fault(
        "was initialized by postgresql version*not compatible",
        "wrong version",
        "the data directory belongs to another major version of PostgreSQL",
        VERSION,
    ),
    Rule::fault(
        "could not locate a valid checkpoint record",
        "corrupt database",
        "PostgreSQL finds no point from which to recover",
        RESTORE,
    ),
    Rule::fault(
        "invalid primary checkpoint record",
        "corrupt database",
        "PostgreSQL finds no point from which to recover",
        RESTORE,
    ),
    Rule::fault("invalid page in block", "corrupt database", "a page of the database is damaged", RESTORE),
    Rule::fault("could not read block", "corrupt database", "a page of the database cannot be read", RESTORE),
    Rule::fault("page verification failed", "corrupt database", "a page of the database fails its checksum", RESTORE),
    Rule::fault(
        "could not open file*pg_",
        "corrupt database",
        "a file of the database is missing or cannot be read",
        RESTORE,
    ),
    Rule::fault("sorry, too many clients already", "too many clients", "PostgreSQL takes no more connections", CLIENTS),
    Rule::fault(
        "remaining connection slots are reserved",
        "too many clients",
        "PostgreSQL takes no more connections",
        CLIENTS,
    ),
    Rule::fault(
        "lock file*already exists",
        "still running",
        "another server uses the data directory, or left its lock behind",
        "docker ps -a; stop the other container that mounts this volume",
    ),
    Rule::fault(
        "superuser password is not specified",
        "not configured",
        "PostgreSQL was given no password for a new database",
        "set POSTGRES_PASSWORD for the first start; a lost volume looks the same",
    ),
    Rule::fault(
        "exists but is not empty",
        "not configured",
        "the data directory holds something else than a database",
        RIGHTS,
    ),
    Rule::fault(
        "password authentication failed",
        "login refused",
        "a password is wrong",
        "compare the password in docker-compose.yml with that of the database role",
    ),
    Rule::fault(
        "no pg_hba.conf entry",
        "login refused",
        "PostgreSQL lets nobody in from that address",
        "check pg_hba.conf in the volume",
    ),
    Rule::fault(
        "database \"*\" does not exist",
        "database missing",
        "the database is not there",
        "CREATE DATABASE, then pg_restore the latest backup",
    ),
    Rule::fault(
        "role \"*\" does not exist",
        "login refused",
        "the database role is not there",
        "create the role, or restore the roles of the cluster (pg_dumpall -g)",
    ),
    Rule::fault(
        "x509: certificate has expired",
        "certificate",
        "the certificate has expired, or the clock is wrong",
        CERTIFICATE,
    ),
    Rule::fault(
        "certificate has expired",
        "certificate",
        "the certificate has expired, or the clock is wrong",
        CERTIFICATE,
    ),
    Rule::fault(
        "certificate signed by unknown authority",
        "certificate",
        "the issuer of the certificate is not trusted",
        CERTIFICATE,
    ),
    Rule::fault("private key does not match", "certificate", "certificate and key do not belong together", CERTIFICATE),
    Rule::fault("key values mismatch", "certificate", "certificate and key do not belong together", CERTIFICATE),
    Rule::fault("cannot load certificate", "certificate", "the certificate or its key cannot be read", CERTIFICATE),
    Rule::fault(
        "failed to find any pem data",
        "certificate",
        "the certificate or its key is not a PEM file",
        CERTIFICATE,
    ),
    Rule::fault("pem_read_bio", "certificate", "the certificate or its key is not a PEM file", CERTIFICATE),
    Rule::fault("x509:", "certificate", "a certificate is not accepted", CERTIFICATE),
    Rule::fault("dial tcp*5432*connection refused", "database unreachable", "PostgreSQL does not listen", DATABASE),
    Rule::fault(
        "dial tcp*connection refused",
        "dependency unreachable",
        "a service that it needs does not listen",
        DATABASE,
    ),
    Rule::fault(
        "dial tcp*no such host",
        "dependency unreachable",
        "the name of a service that it needs is not known",
        "docker-compose ps; the service must be up and on the same network",
    ),
    Rule::fault("dial tcp*i/o timeout", "dependency unreachable", "a service that it needs does not answer", DATABASE),
    Rule::fault("could not connect to server", "database unreachable", "PostgreSQL does not listen", DATABASE),
    Rule::fault(
        "could not translate host name",
        "database unreachable",
        "the name of the database server is not known",
        "docker-compose ps; the service must be up and on the same network",
    ),
    Rule::fault("failed*postgres*connection refused", "database unreachable", "PostgreSQL does not listen", DATABASE),
    Rule::fault("connection refused", "dependency unreachable", "a service that it needs does not listen", DATABASE),
    Rule::fault(
        "exec format error",
        "wrong image",
        "the program is for another processor",
        "use an image for this host's processor (uname -m)",
    ),
    Rule::fault("executable file not found", "wrong command", "the command is not in the image", COMMAND),
    Rule::fault(
        "oci runtime create failed*exec: *no such file or directory",
        "wrong command",
        "the command is not in the image",
        COMMAND,
    ),
    Rule::fault("oci runtime create failed", "refused by the runtime", "the engine cannot start its command", COMMAND),
    Rule::fault("runtime error:", "crash", "a program error", BUG),
    Rule::fault("segmentation fault", "crash", "a program error", BUG),
    Rule::fault("fatal error: all goroutines are asleep", "crash", "a program error", BUG),
    Rule::fault("goroutine * [running]", "crash", "a program error", BUG),
    Rule::fault("permission denied", "permission denied", "it may not use a file or device", RIGHTS),
    Rule::fault("panic:", "panic", "it gave up on an error that it cannot go on with", BUG),
    Rule::event(
        "not properly shut down; automatic recovery in progress",
        "recovering",
        "PostgreSQL was not stopped in order and recovers by itself",
        "wait for 'database system is ready to accept connections'",
    ),
    Rule::event(
        "database system was interrupted",
        "recovering",
        "PostgreSQL was not stopped in order and recovers by itself",
        "wait for 'database system is ready to accept connections'",
    ),
    Rule::event(
        "the database system is starting up",
        "starting",
        "PostgreSQL does not take connections yet",
        "wait for 'database system is ready to accept connections'",
    ),
    Rule::event("received fast shutdown request", "asked to stop", "it was told to stop", ""),
    Rule::event("received smart shutdown request", "asked to stop", "it was told to stop", ""),
    Rule::event("signal: terminated", "asked to stop", "it was told to stop", ""),
];

/// The first of `own`, then of the built-in rules that `line` matches.
pub fn matching<'a>(own: &'a [Rule], line: &str) -> Option<&'a Rule> {
    let line = line.to_lowercase();
    own.iter().chain(RULES).find(|rule| rule.matches(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that each rule was made for, in the order of the table.
    const LINES: &[&str] = &[
        "ERROR:  could not resize shared memory segment \"/PostgreSQL.1804289383\" to 8388608 bytes: No space left on device",
        "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device",
        "write /var/lib/kwanza/cache: disk quota exceeded",
        "ERROR:  could not extend file \"base/16384/2619\": wrote only 4096 of 8192 bytes at block 3",
        "write failed: There is not enough space on the disk",
        "FATAL:  could not fork new process: Cannot allocate memory",
        "ERROR:  out of memory",
        "java.lang.OutOfMemoryError: Java heap space",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "FATAL:  could not map anonymous shared memory",
        "LOG:  server process (PID 29) was terminated by signal 9: Killed",
        "{\"level\":\"error\",\"msg\":\"accept tcp [::]:8000: accept4: too many open files\"}",
        "socket: File table overflow",
        "FATAL:  could not open directory \"pg_wal\": Structure needs cleaning",
        "FATAL:  could not read file \"global/pg_control\": Input/output error",
        "FATAL:  could not create lock file \"postmaster.pid\": Read-only file system",
        "open /data/x: Stale file handle",
        "LOG:  could not bind IPv4 address \"0.0.0.0\": Address already in use",
        "driver failed programming external connectivity: Bind for 0.0.0.0:5444 failed: port is already allocated",
        "listen tcp :443: bind: permission denied",
        "FATAL:  data directory \"/var/lib/postgresql/data\" has wrong ownership",
        "FATAL:  data directory \"/var/lib/postgresql/data\" has invalid permissions",
        "FATAL:  data directory \"/var/lib/postgresql/data\" has group or world access",
        "FATAL:  database files are incompatible with server",
        "DETAIL:  The data directory was initialized by PostgreSQL version 11, which is not compatible with this version 15.18.",
        "PANIC:  could not locate a valid checkpoint record",
        "LOG:  invalid primary checkpoint record",
        "ERROR:  invalid page in block 7 of relation base/16384/16385",
        "ERROR:  could not read block 3 in file \"base/16384/2619\": read only 0 of 8192 bytes",
        "WARNING:  page verification failed, calculated checksum 1 but expected 2",
        "FATAL:  could not open file \"pg_xact/0000\": No such file or directory",
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        "FATAL:  lock file \"postmaster.pid\" already exists",
        "Error: Database is uninitialized and superuser password is not specified.",
        "initdb: error: directory \"/var/lib/postgresql/data\" exists but is not empty",
        "FATAL:  password authentication failed for user \"kwanza\"",
        "FATAL:  no pg_hba.conf entry for host \"172.18.0.3\", user \"kwanza\", database \"kwanza\"",
        "FATAL:  database \"kwanza\" does not exist",
        "FATAL:  role \"kwanza\" does not exist",
        "remote error: x509: certificate has expired or is not yet valid",
        "SSL_do_handshake() failed: certificate has expired",
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "tls: private key does not match public key",
        "SSL_CTX_use_PrivateKey failed: key values mismatch",
        "nginx: [emerg] cannot load certificate \"/certs/cuesta.crt\"",
        "tls: failed to find any PEM data in certificate input",
        "PEM_read_bio_X509() failed",
        "x509: certificate is valid for a, not b",
        "{\"level\":\"error\",\"msg\":\"dial tcp 172.18.0.2:5432: connect: connection refused\"}",
        "dial tcp 172.18.0.2:8001: connect: connection refused",
        "dial tcp: lookup postgres on 127.0.0.11:53: no such host",
        "dial tcp 172.18.0.2:5432: i/o timeout",
        "psql: error: could not connect to server",
        "could not translate host name \"postgres\" to address",
        "failed to reach postgres: connection refused",
        "connect() failed (111: Connection refused) while connecting to upstream",
        "exec /usr/local/bin/kwanza: exec format error",
        "exec: \"kwanza\": executable file not found in $PATH: unknown",
        "OCI runtime create failed: runc create failed: exec: \"/bin/kwanza\": stat /bin/kwanza: no such file or directory",
        "OCI runtime create failed: container_linux.go:380: starting container process caused",
        "panic: runtime error: index out of range [3] with length 3",
        "Segmentation fault (core dumped)",
        "fatal error: all goroutines are asleep - deadlock!",
        "goroutine 1 [running]:",
        "open /etc/kwanza/key.pem: permission denied",
        "PANIC:  something else",
        "LOG:  database system was not properly shut down; automatic recovery in progress",
        "LOG:  database system was interrupted; last known up at 2019-09-10 12:43:24 UTC",
        "FATAL:  the database system is starting up",
        "LOG:  received fast shutdown request",
        "LOG:  received smart shutdown request",
        "signal: terminated",
    ];

    #[test]
    fn every_rule_has_a_line_that_it_is_first_to_match() {
        assert_eq!(LINES.len(), RULES.len());
        for (rule, line) in RULES.iter().zip(LINES) {
            assert_eq!(matching(&[], line).map(|rule| &rule.pattern), Some(&rule.pattern), "{line}");
        }
    }

    #[test]
    fn the_guides_normal_start_tells_of_no_fault() {
        for line in [
            "LOG:  listening on IPv4 address \"0.0.0.0\", port 5432",
            "LOG:  redo done at 0/17FE768",
            "LOG:  database system is ready to accept connections",
            "Either cert or key already exists, aborted cert- and key-generation",
            "######### INTERACTIVE #########",
            "{\"level\":\"info\",\"ts\":1568120211.728028,\"caller\":\"runner/runner.go:71\",\"msg\":\"expvars available\",\"port\":8080}",
            "{\"level\":\"info\",\"ts\":1568120211.7392752,\"msg\":\"Successfully initialized PostgreSQL registry\"}",
            "Serving with SSL",
            "",
        ] {
            assert_eq!(matching(&[], line), None, "{line}");
        }
    }

    #[test]
    fn own_rules_come_first_and_parts_must_be_in_order() {
        let own = [Rule::new("Licen*Expired", "licence", "it has run out", "")];
        assert_eq!(matching(&own, "the LICENCE has expired: No space left on device").unwrap().class, "licence");
        assert_eq!(matching(&own, "expired licence"), None);
    }

    #[test]
    fn patterns_are_in_lower_case_and_say_something() {
        for rule in RULES {
            assert_eq!(rule.pattern, rule.pattern.to_lowercase());
            assert!(!rule.class.is_empty() && !rule.meaning.is_empty());
            assert!(rule.is_fault || !rule.next.contains("docker"), "{}", rule.pattern);
        }
    }
}
