//! The session that was made.

use common::judging::Judging;
use common::number::Number;
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::duration;

use super::fault;
use crate::cli::Config;
use crate::metrics::{CONNECT_TIME, QUERY_TIME};
use crate::outcome::Found;

/// The item of the connection.
pub(super) fn connection(config: &Config, found: &Found) -> Item {
    let (session, server) = (&found.session, &found.snapshot.server);
    let mut judging = Judging::new(&config.thresholds, "connection", None);
    judging.add(&CONNECT_TIME, Number::real(session.took), "connecting took");
    judging.add(&QUERY_TIME, Number::real(found.query_time), "the statements took");
    if config.options.require_primary && server.is_standby {
        judging.problem(State::Critical, "the server is a standby, in recovery");
        judging.item.causes.push("--require-primary asks for a primary".into());
        judging.item.next.push("was the primary lost? SELECT pg_promote() on the standby that is to take over".into());
    }
    for failure in &session.failures {
        let words = fault::words(&session.user, &session.database, failure);
        judging.item.notes.push((0, Text::from(format!("passed over: {}", words.text))));
    }
    judging.item.notes.extend(session.notes.iter().map(|note| (1, Text::from(note.as_str()))));
    judging.item.notes.push((1, Text::from(format!("database {}, user {}", server.database, server.role))));
    judging.item.notes.push((2, Text::from(encryption(found))));
    let role = if server.is_standby { "standby" } else { "primary" };
    judging.finish(format!(
        "{role} at {}, PostgreSQL {}, connected in {}, asked in {}",
        session.server,
        server.version_text,
        duration(session.took),
        duration(found.query_time)
    ))
}

fn encryption(found: &Found) -> String {
    match &found.session.tls {
        None => "without TLS".to_owned(),
        Some(facts) if facts.is_bound => format!("{}, the login may be bound to it", facts.text),
        Some(facts) => facts.text.clone(),
    }
}
