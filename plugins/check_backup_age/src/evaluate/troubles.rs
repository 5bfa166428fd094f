//! Paths that are no dumps that could be looked at.

use common::report::Item;
use common::state::State;
use common::text::shell_word;

use crate::evaluate::Context;
use crate::snapshot::{Trouble, TroubleKind};

/// Such items are listed, at most.
const LISTED: usize = 10;

/// An item for each path.
pub fn troubles(context: &Context) -> Vec<Item> {
    let troubles = &context.snapshot.troubles;
    let mut items: Vec<Item> = troubles.iter().take(LISTED).map(|trouble| item(context, trouble)).collect();
    if troubles.len() > LISTED {
        let text = format!("{} further paths that cannot be looked at", troubles.len() - LISTED);
        items.push(Item::new("paths", State::Unknown, text));
    }
    items
}

/// Whether the check is to blame, and not the backup.
pub fn is_own_side(trouble: &Trouble) -> bool {
    matches!(trouble.kind, TroubleKind::Forbidden | TroubleKind::Failed(_))
}

/// What is wrong with a path, in words.
pub fn describe(trouble: &Trouble) -> String {
    let path = trouble.path.display();
    match &trouble.kind {
        TroubleKind::Missing => format!("{path} does not exist"),
        TroubleKind::Dangling => format!("{path} is a symbolic link to what does not exist"),
        TroubleKind::Forbidden => format!("the check may not read {path}"),
        TroubleKind::NotAFile => format!("{path} is neither a file nor a directory"),
        TroubleKind::NothingThere => format!("nothing that is looked for is in {path}"),
        TroubleKind::Failed(reason) => format!("{path}: {reason}"),
    }
}

/// The item of a path.
pub fn item(context: &Context, trouble: &Trouble) -> Item {
    let is_named = context.config.options.paths.contains(&trouble.path);
    let state = match &trouble.kind {
        _ if is_own_side(trouble) => State::Unknown,
        // A link that leads nowhere among dumps is nobody's backup, and count tells whether enough are left.
        TroubleKind::Dangling if !is_named => State::Ok,
        _ => State::Critical,
    };
    let text = describe(trouble);
    let item = Item::new("path", state, text.clone()).headline(text);
    let path = shell_word(&trouble.path.to_string_lossy());
    match &trouble.kind {
        TroubleKind::Forbidden => {
            item.then(format!("let the group of the monitoring user read it: chgrp nagios {path}; chmod g+rX {path}"))
        }
        TroubleKind::Missing | TroubleKind::Dangling => {
            item.then(format!("ls -l {path}; then the messages of the backup job"))
        }
        TroubleKind::NothingThere => {
            let pattern = context
                .config
                .options
                .pattern
                .as_deref()
                .map(|pattern| format!(", and --pattern {}", shell_word(pattern)));
            item.then(format!("ls -la {path}{}", pattern.unwrap_or_default()))
        }
        TroubleKind::NotAFile | TroubleKind::Failed(_) => item.then(format!("ls -l {path}")),
    }
}
