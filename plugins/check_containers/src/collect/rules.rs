//! Text files that the options name.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use common::deadline::Deadline;
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
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(fault)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err((ErrorKind::FileTooLarge, format!("{}: it is longer than 4 MiB", path.display())));
    }
    String::from_utf8(bytes).map_err(|_| (ErrorKind::InvalidData, format!("{}: it is not UTF-8", path.display())))
}
