//! Text files that the options name.

use std::io::ErrorKind;
use std::path::Path;

use common::deadline::Deadline;
use common::file;
use common::text::io_error;

use crate::cli::Config;
use crate::parse::hint_file;
use common::docker::hints::Rule;

/// A file longer than this is a mistake.
const MAX_BYTES: u64 = 4 << 20;

/// The rules of `--hint-file`; none without one. The error names the file.
pub fn read(config: &Config, deadline: &Deadline) -> Result<Vec<Rule>, String> {
    let Some(path) = &config.options.hint_file else { return Ok(Vec::new()) };
    let _step = deadline.step(path.display().to_string());
    let text = read_text(path).map_err(|(_, reason)| format!("--hint-file {reason}"))?;
    hint_file::parse(&text).map_err(|reason| format!("--hint-file {}: {reason}", path.display()))
}

/// The text of a file. The error names it.
pub fn read_text(path: &Path) -> Result<String, (ErrorKind, String)> {
    let fault = |error: std::io::Error| (error.kind(), format!("{}: {}", path.display(), io_error(&error)));
    file::read_text(path, MAX_BYTES).map_err(fault)
}
