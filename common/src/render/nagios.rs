//! The status line, perfdata and list of the plugin standard.

use std::fmt::Write as _;

use super::Style;
use crate::perfdata;
use crate::report::{Item, Report};
use crate::state::State;

/// Whole output at most, in bytes: NRPE cuts at 64 KiB.
pub const MAX_BYTES: usize = 60 * 1024;

/// The text of the first line is filled with problems up to about this many characters.
const FIRST_LINE_CHARS: usize = 80;

/// `report` as `NAME STATE - summary | perfdata` and a list, worst first.
pub fn render(report: &Report, style: &Style) -> String {
    let state = report.state();
    let mut text = format!("{} {} - {}", style.service(), paint(state, style), first_line(report, state));
    let perfdata = perfdata::render(style.selected(report));
    if !perfdata.is_empty() {
        let _ = write!(text, " | {perfdata}");
    }
    text.push('\n');
    let mut list = List { style, all: report.list_all || style.verbosity > 0, lines: Vec::new() };
    if list.all || report.list_items || !is_said_in_one_line(&report.items) {
        list.add(&report.items, 0, report.list_items, true);
    }
    append_within(&mut text, &list.lines);
    text
}

/// Whether the first line has said all that the list would say again.
fn is_said_in_one_line(items: &[Item]) -> bool {
    let [item] = items else { return false };
    let is_bare = item.causes.is_empty() && item.next.is_empty() && item.notes.is_empty() && item.children.is_empty();
    is_bare && item.headline == item.text
}

/// Appends as many of `lines` as fit below [`MAX_BYTES`] and says how many did not.
fn append_within(text: &mut String, lines: &[String]) {
    // Room for the sentence that says how many lines are missing.
    const RESERVE: usize = 80;
    for (printed, line) in lines.iter().enumerate() {
        let left = lines.len() - printed;
        let reserve = if left > 1 { RESERVE } else { 0 };
        if text.len() + line.len() + 1 + reserve > MAX_BYTES {
            let _ = writeln!(text, "... {left} more lines left out, see --format json");
            return;
        }
        text.push_str(line);
        text.push('\n');
    }
}

/// The text between state and perfdata: the summary, or the problems, worst first.
pub(super) fn first_line(report: &Report, state: State) -> String {
    if state == State::Ok {
        return report.summary.to_string();
    }
    let problems = problems(report);
    let mut line = String::new();
    for (said, problem) in problems.iter().enumerate() {
        let headline = headline(problem);
        if said > 0 && line.chars().count() + headline.chars().count() > FIRST_LINE_CHARS {
            let _ = write!(line, "; {} more", problems.len() - said);
            break;
        }
        if said > 0 {
            line.push_str("; ");
        }
        line.push_str(&headline);
    }
    if problems.is_empty() {
        line.push_str("nothing was checked");
    }
    if !report.context.is_empty() {
        let _ = write!(line, "; {}", report.context);
    }
    line
}

/// Every item that is not OK by itself, worst first, parents before their children. What follows from another makes
/// that as bad as it is itself. Where the items of a report stand by themselves, the first problem of each comes before
/// the second of another that is equally bad.
fn problems(report: &Report) -> Vec<&Item> {
    fn collect<'a>(item: &'a Item, into: &mut Vec<&'a Item>) {
        if item.follows {
            return;
        }
        if item.state != State::Ok {
            into.push(item);
        }
        item.children.iter().for_each(|child| collect(child, into));
    }
    fn severity(item: &Item) -> State {
        let following = item.children.iter().filter(|child| child.follows).map(Item::worst);
        following.fold(item.state, State::max)
    }
    let mut found = Vec::new();
    for item in &report.items {
        let mut own = Vec::new();
        collect(item, &mut own);
        own.sort_by_key(|item| std::cmp::Reverse(severity(item)));
        found.extend(own.into_iter().enumerate().map(|(turn, item)| (if report.list_items { turn } else { 0 }, item)));
    }
    found.sort_by_key(|(turn, item)| (std::cmp::Reverse(severity(item)), *turn));
    found.into_iter().map(|(_, item)| item).collect()
}

fn headline(item: &Item) -> String {
    let said =
        if item.headline.is_empty() { format!("{} {}", item.label, item.text) } else { item.headline.to_string() };
    let following = item.children.iter().filter(|child| child.follows);
    match following.map(|child| 1 + child.following()).sum::<usize>() {
        0 => said,
        1 => format!("{said} (1 problem follows from it)"),
        count => format!("{said} ({count} problems follow from it)"),
    }
}

/// The lines below the first.
struct List<'a> {
    style: &'a Style,
    /// Whether what is OK is listed too.
    all: bool,
    lines: Vec<String>,
}

impl List<'_> {
    /// Adds `items`, worst first: those that are not OK, or with `here` all of them, and their parts. What
    /// `is_explained` has its causes and next steps below it.
    fn add(&mut self, items: &[Item], level: usize, here: bool, is_explained: bool) {
        let mut order: Vec<(State, &Item)> = items.iter().map(|item| (item.worst(), item)).collect();
        order.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        order.retain(|(state, _)| *state != State::Ok || self.all || here);
        for (state, item) in order {
            // What follows from something else is mended with that.
            let is_explained = is_explained && !item.follows || self.style.verbosity > 0;
            self.add_one(item, state, level, is_explained);
            self.add(&item.children, level + 1, false, is_explained);
        }
    }

    fn add_one(&mut self, item: &Item, state: State, level: usize, is_explained: bool) {
        let indent = "  ".repeat(level);
        let follows = if item.follows { "follows: " } else { "" };
        let state_word = paint(state, self.style);
        self.lines.push(format!("{indent}\\_ [{state_word}] {follows}{}: {}", item.label, item.text));
        if is_explained {
            self.lines.extend(item.causes.iter().map(|cause| format!("{indent}     {cause}")));
        }
        let notes = item.notes.iter().filter(|(level, _)| self.style.verbosity >= *level);
        self.lines.extend(notes.map(|(_, note)| format!("{indent}     ({note})")));
        if is_explained && state != State::Ok {
            self.lines.extend(item.next.iter().map(|step| format!("{indent}     -> {step}")));
        }
    }
}

fn paint(state: State, style: &Style) -> String {
    if !style.colour {
        return state.to_string();
    }
    let colour = match state {
        State::Ok => 32,
        State::Warning => 33,
        State::Critical => 31,
        State::Unknown => 35,
    };
    format!("\u{1b}[{colour}m{state}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::Glob;
    use crate::metric::{Definition, Thresholds};
    use crate::number::Number;
    use crate::units::Unit;

    static USED: Definition =
        Definition::gauge("disk", "used_percent", Unit::Percent, "used").defaults("90", "95").per("mount");

    fn style() -> Style {
        Style { plugin: "check_docker_host", ..Style::default() }
    }

    fn report() -> Report {
        let thresholds = Thresholds::parse(&[&USED], None, &[], &[]).unwrap();
        let mut disk = Item::ok("disk", "2 mounts");
        for (mount, used) in [("/", 12), ("/var", 96)] {
            let metric = thresholds.judge(&USED, Some(mount), Number::integer(used));
            let text = format!("{} used", metric.human());
            let item = Item::ok(mount, text).with(metric);
            let item = match item.breach() {
                Some(breach) => item.headline(format!("{mount} {used} % used ({breach})")),
                None => item,
            };
            disk.children.push(item.because("4 GiB in deleted files").then("df -h").note(2, "from statvfs"));
        }
        let mut report = Report::new("all well");
        report.items = vec![Item::new("cpu", State::Unknown, "unreadable"), Item::ok("load", "0.1"), disk];
        report
    }

    #[test]
    fn problems_come_first_and_ok_items_only_when_asked_for() {
        assert_eq!(
            render(&report(), &style()),
            "DOCKER_HOST CRITICAL - /var 96 % used (over 95 %); cpu unreadable | /:used_percent=12%;90;95 /var:used_percent=96%;90;95\n\
             \\_ [CRITICAL] disk: 2 mounts\n  \
             \\_ [CRITICAL] /var: 96 % used\n       \
             4 GiB in deleted files\n       \
             -> df -h\n\
             \\_ [UNKNOWN] cpu: unreadable\n"
        );
        let all = render(&report(), &Style { verbosity: 2, ..style() });
        assert!(all.contains("\\_ [OK] load: 0.1") && all.contains("(from statvfs)"));
    }

    #[test]
    fn perfdata_can_be_chosen() {
        let only = |glob| render(&report(), &Style { perfdata: vec![Glob::new(glob)], ..style() });
        assert!(only("/var:*").lines().next().unwrap().ends_with("| /var:used_percent=96%;90;95"));
        assert!(only("used_*").contains("| /:used_percent"));
        assert!(!only("nothing").contains('|'));
    }

    #[test]
    fn nothing_checked_is_unknown_and_says_so() {
        assert_eq!(render(&Report::new("fine"), &style()), "DOCKER_HOST UNKNOWN - nothing was checked\n");
    }

    #[test]
    fn a_crowd_of_problems_is_counted() {
        let mut report = Report::new("");
        report.items =
            (0..9).map(|i| Item::new(format!("thing {i}"), State::Warning, "is in a bad way today")).collect();
        let text = render(&report, &style());
        assert_eq!(
            text.lines().next().unwrap(),
            "DOCKER_HOST WARNING - thing 0 is in a bad way today; thing 1 is in a bad way today; 7 more"
        );
    }

    #[test]
    fn output_stays_below_the_cap_and_perfdata_is_whole() {
        let mut report = report();
        report.items.extend((0..5000).map(|i| Item::new(format!("item {i}"), State::Warning, "x".repeat(50))));
        let text = render(&report, &style());
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        assert!(text.lines().last().unwrap().contains("more lines left out"));
        assert!(text.lines().next().unwrap().ends_with("/var:used_percent=96%;90;95"));
    }

    #[test]
    fn what_follows_hangs_below_its_cause_and_is_counted() {
        let mut cause = Item::new("memory", State::Warning, "97 % used").headline("memory 97 %").then("free -m");
        let mut killed = Item { follows: true, ..Item::new("postgres", State::Critical, "exited 137").then("up") };
        killed.children.push(Item { follows: true, ..Item::new("database", State::Critical, "nothing listens") });
        cause.children.push(killed);
        let mut report = Report::new("fine");
        report.items = vec![Item::new("disk", State::Warning, "91 %"), cause, Item::ok("load", "0.1")];
        report.list_items = true;
        assert_eq!(
            render(&report, &style()),
            "DOCKER_HOST CRITICAL - memory 97 % (2 problems follow from it); disk 91 %\n\
             \\_ [CRITICAL] memory: 97 % used\n     \
             -> free -m\n  \
             \\_ [CRITICAL] follows: postgres: exited 137\n    \
             \\_ [CRITICAL] follows: database: nothing listens\n\
             \\_ [WARNING] disk: 91 %\n\
             \\_ [OK] load: 0.1\n"
        );
    }

    #[test]
    fn colour_only_when_asked_for() {
        assert!(!render(&report(), &style()).contains('\u{1b}'));
        assert!(render(&report(), &Style { colour: true, ..style() }).contains("\u{1b}[31mCRITICAL\u{1b}[0m"));
    }
}
