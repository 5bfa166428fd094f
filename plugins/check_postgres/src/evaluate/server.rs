//! The server itself: uptime, version and its end of life.

use common::number::{Number, float};
use common::report::Item;
use common::state::State;
use common::text::Text;
use common::units::duration;

use super::groups::{Context, LOG, finish, number};
use super::past;
use crate::metrics::{END_OF_LIFE, MINOR_BEHIND, UPTIME};
use crate::snapshot::Server;

/// When each major version gets its last release, in seconds since 1970 and as a date: <https://www.postgresql.org/support/versioning/>.
/// The day of version 19 is the rule's, the second Thursday of November five years after its release.
const ENDS_OF_LIFE: &[(u32, u64, &str)] = &[
    (10, 1_668_038_400, "2022-11-10"),
    (11, 1_699_488_000, "2023-11-09"),
    (12, 1_732_147_200, "2024-11-21"),
    (13, 1_762_992_000, "2025-11-13"),
    (14, 1_794_441_600, "2026-11-12"),
    (15, 1_825_891_200, "2027-11-11"),
    (16, 1_857_340_800, "2028-11-09"),
    (17, 1_888_790_400, "2029-11-08"),
    (18, 1_920_844_800, "2030-11-14"),
    (19, 1_952_294_400, "2031-11-13"),
];

pub(super) fn server(context: &Context) -> Item {
    let server = context.server();
    let mut judging = context.judging("server");
    let uptime = (server.now - server.started).max(0.0);
    let restarted = past::was_restarted(context);
    let since = if restarted { ", it was restarted since the last run" } else { "" };
    if judging.add(&UPTIME, number(uptime), &format!("the server is up for {{}} only{since}")) != State::Ok {
        judging.item.next.push(format!("{LOG} (why it was started)").into());
    }
    if restarted {
        judging.item.notes.push((0, "the server was restarted since the last run; a new baseline is taken".into()));
    }
    let major = server.major();
    if let Some((_, end, date)) = ENDS_OF_LIFE.iter().find(|(version, ..)| *version == major) {
        let phrase = format!("PostgreSQL {major} gets no corrections after {date}, time left");
        if judging.add(&END_OF_LIFE, number(float(*end) - server.now), &phrase) != State::Ok {
            judging.item.next.push("pg_dump with the new version's program, a new container, pg_restore".into());
        }
    } else {
        judging.item.notes.push((1, format!("version {major} is not known to this check").into()));
    }
    minor(context, &mut judging);
    finish(judging, format!("{}, up for {}", title(server), duration(uptime)))
}

fn minor(context: &Context, judging: &mut common::judging::Judging) {
    let server = context.server();
    let given = context.options.latest_minor.iter().find(|release| release.major == server.major());
    let minor = server.version % 10_000;
    match given {
        Some(latest) => {
            let behind = latest.minor.saturating_sub(minor);
            let phrase = format!("{}.{minor} is behind {}.{} by releases:", server.major(), latest.major, latest.minor);
            if judging.add(&MINOR_BEHIND, Number::from(behind), &phrase) != State::Ok {
                judging.item.next.push("docker-compose pull postgres; docker-compose up -d postgres".into());
            }
        }
        None if !context.options.latest_minor.is_empty() => {
            judging.item.notes.push((1, format!("--latest-minor names no release of {}", server.major()).into()));
        }
        None => {}
    }
}

/// `PostgreSQL 15.14`, and that it is a standby.
pub(super) fn title(server: &Server) -> String {
    let version = server.version_text.split(' ').next().unwrap_or_default();
    let standby = if server.is_standby { " (standby)" } else { "" };
    format!("PostgreSQL {}{standby}", Text::limited(version, 30))
}

/// Connections that are not kept for superusers and the like.
pub(super) const fn usable_connections(server: &Server) -> u32 {
    server.max_connections.saturating_sub(server.reserved_connections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for pair in ENDS_OF_LIFE.windows(2) {
            assert!(pair[0].0 + 1 == pair[1].0 && pair[0].1 < pair[1].1 && pair[0].2 < pair[1].2, "{pair:?}");
        }
        // Midnight each, and the day that the date says, by the number of days since 1970.
        for (major, end, date) in ENDS_OF_LIFE {
            let parts: Vec<u64> = date.split('-').map(|part| part.parse().unwrap()).collect();
            let days = (1970..parts[0]).map(|year| if year.is_multiple_of(4) { 366 } else { 365 }).sum::<u64>();
            let november = if parts[0].is_multiple_of(4) { 305 } else { 304 };
            assert_eq!((*end, parts[1]), ((days + november + parts[2] - 1) * 86_400, 11), "{major}");
        }
    }
}
