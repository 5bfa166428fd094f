//! The program: everything is in the library, so that tests and the man page can see it.

use std::process::ExitCode;

fn main() -> ExitCode {
    common::run::main::<check_backend::CheckBackend>()
}
