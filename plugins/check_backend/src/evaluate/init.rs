//! What `--init` has found and written.

use common::report::{Item, Report};
use common::text::shell_word;
use common::units::counted;

use crate::cli::{Config, DEFAULT_FILE};
use crate::plan::{Deployment, Trial, relevant};
use crate::snapshot::Written;

/// The report on the file.
pub(super) fn report(config: &Config, written: &Written) -> Report {
    let trials: Vec<&Trial> = relevant(&written.trials).collect();
    let checks = trials.iter().filter(|trial| trial.chosen().is_some()).count();
    let examples = trials.len() - checks;
    let place = config.file.display();
    let mut report = Report::new(format!("wrote {place}: {}, {examples} to be filled in", counted(checks, "check")));
    report.list_items = true;
    report.items = vec![found(&written.deployment)];
    report.items.extend(trials.into_iter().map(check));
    let option = if config.file.as_os_str() == DEFAULT_FILE {
        String::new()
    } else {
        format!(" --config {}", shell_word(&place.to_string()))
    };
    report.items.push(Item::ok("next", format!("look at the file, then run check_backend{option}")));
    report
}

/// What runs here.
fn found(deployment: &Deployment) -> Item {
    let engine = match &deployment.engine {
        Ok(engine) => engine,
        Err(reason) => return Item::ok("found", format!("no Docker Engine: {reason}")),
    };
    let text = match &deployment.project {
        Some(project) => {
            let services: Vec<&str> = project.services.iter().map(|service| service.name.as_str()).collect();
            let folder = project.folder.as_ref().map(|folder| format!(" in {}", folder.display())).unwrap_or_default();
            format!("project {}{folder} at {engine}: {}", project.name, services.join(", "))
        }
        None => format!("no project of docker-compose at {engine}"),
    };
    let others = match deployment.others.as_slice() {
        [] => String::new(),
        others => format!("; other projects, which --project chooses: {}", others.join(", ")),
    };
    Item::ok("found", format!("{text}{others}"))
}

/// A check in the file, and how it was chosen.
fn check(trial: &Trial) -> Item {
    let proposal = &trial.proposal;
    let said = trial.said().map(|said| format!(", says: {said}")).unwrap_or_default();
    let text = match trial.chosen() {
        Some(chosen) => format!("{} {}{said}", proposal.plugin, chosen.arguments.join(" ")),
        None => format!("to be filled in: {}{said}", proposal.title),
    };
    Item::ok(proposal.name.as_str(), text.trim_end())
}
