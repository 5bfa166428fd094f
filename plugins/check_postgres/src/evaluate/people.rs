//! Sessions in words.

use common::text::Text;
use common::units::duration;

use crate::snapshot::Session;

/// Longest statement that is shown.
const MAX_QUERY: usize = 200;

/// `pid 17 (kwanza at kwanza)`: who a session is, in the first line.
pub(super) fn who(session: &Session) -> String {
    let name = |name: &Option<String>| {
        name.as_deref().map_or_else(|| "?".to_owned(), |name| Text::limited(name, 60).to_string())
    };
    format!("pid {} ({} in {})", session.pid, name(&session.user), name(&session.database))
}

/// The same with all that is known, for the list under an item. `what` says what it does for its age.
pub(super) fn line(session: &Session, what: &str) -> Text {
    let mut text = format!("{} {what}", who(session));
    if let Some(age) = session.age {
        text = format!("{text} for {}", duration(age));
    }
    let from = [&session.application, &session.client].into_iter().flatten();
    let from: Vec<String> = from.map(|part| Text::limited(part, 60).to_string()).collect();
    if !from.is_empty() {
        text = format!("{text}, from {}", from.join(" at "));
    }
    if let Some(query) = &session.query {
        text = format!("{text}: {}", Text::limited(query.trim(), MAX_QUERY));
    }
    text.into()
}
