//! Who uses a path.

use common::number::Number;
use common::report::{Item, Report};
use common::state::State;

use crate::cli::Config;
use crate::metrics::BUSY_PROCESSES;
use crate::snapshot::{Busy, Details, Fact, User};

use super::culprits::identity;

pub(super) fn report(config: &Config, found: &Fact<Busy>, details: &Details) -> Report {
    let busy = match found {
        Ok(busy) => busy,
        Err(fault) => return Report::single(State::Unknown, "busy", format!("cannot look: {fault}")),
    };
    let path = busy.path.display();
    let count = busy.users.len();
    let metric = config.thresholds.judge(&BUSY_PROCESSES, None, Number::from(count));
    let what = if busy.is_mount { "mount" } else { "path" };
    let text = match count {
        0 => format!("nobody uses {what} {path}"),
        1 => format!("1 process uses {what} {path}"),
        _ => format!("{count} processes use {what} {path}"),
    };
    let mut item = Item::ok("busy", text.clone()).with(metric);
    let line = |user: &User| format!("{}: {}", identity(details, &user.name, user.pid), uses(user)).into();
    item.causes = busy.users.iter().map(line).collect();
    let names: Vec<&str> = busy.users.iter().take(3).map(|user| user.name.as_str()).collect();
    let mut summary = text;
    if !names.is_empty() {
        let more = if count > names.len() { ", …" } else { "" };
        summary = format!("{summary}: {}{more}", names.join(", "));
    }
    if busy.hidden > 0 {
        summary = format!("{summary} ({} processes are hidden from this user)", busy.hidden);
        item.raise(State::Unknown);
        item.next.push("run it as root to look into every process".into());
    }
    item.headline = summary.clone().into();
    let mut report = Report::new(summary);
    report.items = vec![item];
    // The names are the answer.
    report.list_all = true;
    report
}

fn uses(user: &User) -> String {
    let mut ways = Vec::new();
    match (user.files, &user.example) {
        (0, _) => {}
        (1, Some(example)) => ways.push(format!("has {example} open")),
        (count, example) => {
            ways.push(format!("has {count} files open, {} one of them", example.as_deref().unwrap_or("?")));
        }
    }
    if user.works_there {
        ways.push("works there".to_owned());
    }
    if user.is_rooted_there {
        ways.push("has its root there".to_owned());
    }
    if user.runs_from_there {
        ways.push("runs from there".to_owned());
    }
    if user.mappings > 0 {
        ways.push(format!("has mapped {} files", user.mappings));
    }
    ways.join(", ")
}
