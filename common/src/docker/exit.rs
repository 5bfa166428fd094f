//! Exit codes in words.

/// What exit code `code` says of how a container ended; empty where it says nothing.
pub fn words(code: i64) -> &'static str {
    match code {
        0 => "by itself, without an error",
        125 => "the engine could not run it",
        126 => "its command cannot be executed",
        127 => "its command was not found",
        129 => "SIGHUP",
        130 => "SIGINT, interrupted",
        131 => "SIGQUIT",
        132 => "SIGILL, a program error",
        134 => "SIGABRT, it gave up by itself",
        135 => "SIGBUS, a program error",
        136 => "SIGFPE, a program error",
        137 => "SIGKILL",
        139 => "SIGSEGV, a program error",
        141 => "SIGPIPE",
        143 => "SIGTERM, asked to stop",
        _ => "",
    }
}

/// Whether a program that ends with `code` was asked to, or was done.
pub const fn is_orderly(code: i64) -> bool {
    matches!(code, 0 | 130 | 143)
}

/// The step for what may have been meant to end; its name is to follow.
pub const JOB: &str = "if it is a job: --allow-exited";

/// The cause and the next step that exit code `code` suggests where nothing else explains it.
pub fn explanation(code: i64) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0 => ("exit code 0: it ended by itself, as a job does", JOB),
        125..=127 => ("it was never really running", "check command:, entrypoint: and image: in docker-compose.yml"),
        137 => (
            "SIGKILL comes from docker kill, from docker stop when it took too long, or from a host without memory",
            "dmesg -T --level=err,warn (Out of memory: Killed process?); last; journalctl -u docker --since -1h",
        ),
        132 | 134..=136 | 139 => ("the program crashed", "keep the log and the core dump for the support"),
        130 | 143 => ("somebody or something asked it to stop", "last; journalctl -u docker --since -1h"),
        _ => return None,
    })
}
