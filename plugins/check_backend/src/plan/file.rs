//! The text of the file.

use std::fmt::Write as _;

use common::text::Text;

use super::{Candidate, Trial, relevant};

const HEAD: &str = "\
# What check_backend looks at: the \"Health Check of a System\" of the operations guide.
# Written by check_backend --init from what ran here; change what you like, and run check_backend to see it.
#
#   name       stands before what the check says and before its figures: NAME:METRIC
#   plugin     a program beside check_backend or in the plugin folders, or an absolute path
#   arguments  of the plugin, one word each: its --help and man page tell which
#   timeout    its time (\"5s\"), where it is to be less than that of the whole run (check_backend -t)
#   parent     CHECK or CHECK:ITEM: what is not OK here while that is down follows from it, and hangs below it
#
# Who may write to this file can run programs as the monitoring user, so nobody else may.
";

/// The file that holds the checks of `trials`.
pub fn file(trials: &[Trial]) -> String {
    let mut text = HEAD.to_owned();
    for trial in relevant(trials) {
        let (candidate, is_example) = match trial.chosen() {
            Some(chosen) => (Some(chosen), false),
            None => (trial.proposal.candidates.first(), true),
        };
        if let Some(candidate) = candidate {
            text.push('\n');
            entry(&mut text, trial, candidate, is_example);
        }
    }
    text
}

/// One check, every line with what it is for.
fn entry(text: &mut String, trial: &Trial, candidate: &Candidate, is_example: bool) {
    let proposal = &trial.proposal;
    if let Some(said) = trial.said().filter(|_| is_example) {
        let _ = writeln!(text, "# To be filled in: {}", Text::new(said));
    }
    let mut lines = vec![
        ("[[check]]".to_owned(), proposal.title.clone()),
        (format!("name = {}", string(&proposal.name)), "how it is called".to_owned()),
        (
            format!("plugin = {}", string(proposal.plugin)),
            format!("{} --help, man {}", proposal.plugin, proposal.plugin),
        ),
    ];
    let arguments: Vec<String> = candidate.arguments.iter().map(|argument| string(argument)).collect();
    lines.push((format!("arguments = [{}]", arguments.join(", ")), candidate.comment.clone()));
    if let Some(parent) = &proposal.parent {
        let comment = "what fails here while that is down follows from it".to_owned();
        lines.push((format!("parent = {}", string(parent)), comment));
    }
    let mark = if is_example { "#" } else { "" };
    for (line, comment) in lines {
        let _ = writeln!(text, "{mark}{line:<40}  # {}", Text::new(&comment));
    }
}

/// `text` as a string of TOML.
fn string(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Whatever a name holds, a terminal that shows the file is not to obey it.
            c if c.is_control() || Text::new(&c.to_string()).as_str() != c.to_string() && !"|<>".contains(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use common::state::State;
    use proptest::prelude::*;

    use super::super::{Deployment, Dump, Port, Project, Role, Service, proposals};
    use super::*;
    use crate::parse::config::parse;

    fn empty() -> Deployment {
        Deployment {
            engine: Err("it is down".to_owned()),
            docker_host: None,
            project: None,
            others: Vec::new(),
            dump: None,
            has_backup_plugin: true,
        }
    }

    fn service(name: &str, ports: &[(u16, Option<&str>)]) -> Service {
        let port =
            |(inner, published): &(u16, Option<&str>)| Port { inner: *inner, published: published.map(str::to_owned) };
        let ports: Vec<Port> = ports.iter().map(port).collect();
        let role = Role::of(name, "", &ports);
        Service { name: name.to_owned(), container: format!("deploy_{name}_1"), role, ports }
    }

    fn guide() -> Deployment {
        let services = vec![
            service("cuesta", &[(443, Some("127.0.0.1:443")), (80, Some("127.0.0.1:80"))]),
            service("kwanza", &[(6060, Some("127.0.0.1:6060")), (8001, Some("[::1]:8001")), (8080, None)]),
            service("postgres", &[(5432, Some("127.0.0.1:5444"))]),
            service("mail", &[(25, Some("127.0.0.1:25"))]),
            service("cron", &[]),
        ];
        let folder = Some(PathBuf::from("/root/deploy"));
        Deployment { project: Some(Project { name: "deploy".to_owned(), folder, services }), ..empty() }
    }

    fn trials(deployment: &Deployment, came_to: &dyn Fn(&str, &[String]) -> State) -> Vec<Trial> {
        let trial = |proposal: super::super::Proposal| {
            let came = |candidate: &Candidate| (came_to(&proposal.name, &candidate.arguments), "said".to_owned());
            let tried = proposal.candidates.iter().map(came).collect();
            Trial { proposal, tried }
        };
        proposals(deployment).into_iter().map(trial).collect()
    }

    fn written(deployment: &Deployment, came_to: &dyn Fn(&str, &[String]) -> State) -> Vec<(String, Vec<String>)> {
        let text = file(&trials(deployment, came_to));
        let is_commented = |line: &str| line.is_empty() || line.contains('#');
        assert!(text.lines().all(is_commented), "{text}");
        // An example becomes a check by taking away the marks.
        let uncommented = text.lines().map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
            _ => line,
        });
        let whole = uncommented.collect::<Vec<_>>().join("\n");
        parse(&whole).unwrap_or_else(|reason| panic!("{reason}: {whole}"));
        parse(&text).unwrap().into_iter().map(|check| (check.name, check.arguments)).collect()
    }

    fn names(checks: &[(String, Vec<String>)]) -> Vec<&str> {
        checks.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn the_guides_deployment_has_a_check_each() {
        let checks = written(&guide(), &|_, _| State::Ok);
        assert_eq!(names(&checks), ["host", "containers", "database", "kwanza", "kwanza-endpoints", "cuesta", "mail"]);
        assert_eq!(checks[1].1, ["--deploy-dir", "/root/deploy"]);
        assert_eq!(checks[2].1, ["-H", "127.0.0.1", "-p", "5444", "-U", "monitoring"]);
        assert_eq!(checks[3].1, ["-H", "127.0.0.1", "-p", "6060"]);
        assert_eq!(checks[4].1, ["kwanza-profiling=http://127.0.0.1:6060", "kwanza-grpc=grpc://[::1]:8001"]);
        assert_eq!(checks[5].1, ["cuesta=https://127.0.0.1:443/", "cuesta-http=http://127.0.0.1:80"]);
        assert_eq!(checks[6].1, ["mail-25=tcp://127.0.0.1:25"]);
    }

    #[test]
    fn the_first_arguments_that_go_well_are_taken() {
        let came_to = |name: &str, arguments: &[String]| match name {
            "database" if arguments.contains(&"monitoring".to_owned()) => State::Unknown,
            "cuesta" if !arguments.contains(&"--insecure".to_owned()) => State::Critical,
            "kwanza" => State::Critical,
            _ => State::Ok,
        };
        let checks = written(&guide(), &came_to);
        assert!(checks[2].1.ends_with(&["-U".to_owned(), "postgres".to_owned()]));
        assert_eq!(checks[3].1, ["-H", "127.0.0.1", "-p", "6060"], "what is down is checked all the same");
        assert!(checks[5].1.contains(&"--insecure".to_owned()));
    }

    #[test]
    fn services_that_publish_nothing_are_found_by_their_containers() {
        let services =
            vec![service("kwanza", &[(8080, None)]), service("postgres", &[(5432, None)]), service("cuesta", &[])];
        let project = Some(Project { name: "deploy".to_owned(), folder: None, services });
        let checks = written(&Deployment { project, ..empty() }, &|_, _| State::Ok);
        assert_eq!(names(&checks), ["host", "containers", "database", "kwanza"]);
        assert!(checks[1].1.starts_with(&["--project".to_owned(), "deploy".to_owned()]));
        assert_eq!(checks[2].1, ["--container", "deploy_postgres_1", "-U", "monitoring"]);
        assert_eq!(checks[3].1, ["--container", "deploy_kwanza_1"]);
    }

    #[test]
    fn without_a_login_the_port_is_watched() {
        let came_to = |name: &str, _: &[String]| if name == "database" { State::Unknown } else { State::Ok };
        let deployment = guide();
        let checks = written(&deployment, &came_to);
        assert_eq!(checks[2], ("database-port".to_owned(), vec!["postgres=tcp://127.0.0.1:5444".to_owned()]));
        assert!(file(&trials(&deployment, &came_to)).contains("# To be filled in: said\n#[[check]]"));
    }

    #[test]
    fn what_is_not_found_is_left_as_an_example() {
        let checks = written(&empty(), &|_, _| State::Ok);
        assert_eq!(names(&checks), ["host"]);
        let text = file(&trials(&empty(), &|_, _| State::Ok));
        for plugin in
            ["check_containers", "check_postgres", "check_kwanza_expvars", "check_endpoint", "check_backup_age"]
        {
            assert!(text.contains(&format!("\n#plugin = \"{plugin}\"")), "{plugin}: {text}");
        }
    }

    #[test]
    fn dumps_are_checked_where_the_plugin_is() {
        let dump = Dump { folder: "/root/backup".into(), pattern: "*.tar".to_owned(), newest: "kwanza.tar".to_owned() };
        let found = Deployment { dump: Some(dump), ..empty() };
        let checks = written(&found, &|_, _| State::Ok);
        assert_eq!(
            checks[1],
            ("backup".to_owned(), ["/root/backup", "--pattern", "*.tar"].map(str::to_owned).to_vec())
        );
        let without = Deployment { has_backup_plugin: false, ..found };
        assert_eq!(names(&written(&without, &|_, _| State::Ok)), ["host"]);
    }

    #[test]
    fn an_engine_that_was_named_is_named_in_the_file() {
        let named = Deployment { docker_host: Some("unix:///run/d.sock".to_owned()), ..guide() };
        let checks = written(&named, &|_, _| State::Ok);
        for (name, arguments) in checks.iter().filter(|(name, _)| ["host", "containers"].contains(&name.as_str())) {
            assert!(arguments.ends_with(&["--docker-host", "unix:///run/d.sock"].map(str::to_owned)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_string(text in any::<String>()) {
            let quoted = string(&text);
            let is_plain = |c: char| !c.is_control() && c != '\u{202e}';
            prop_assert!(quoted.chars().all(is_plain));
            let table: toml::Table = toml::from_str(&format!("a = {quoted}")).unwrap();
            prop_assert_eq!(table["a"].as_str(), Some(text.as_str()));
        }
    }
}
