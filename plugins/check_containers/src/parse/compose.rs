//! Compose files, as far as they say which services should be up.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

/// What a compose file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComposeFile {
    /// Its top-level `name`.
    pub name: Option<String>,
    /// Its services.
    pub services: BTreeMap<String, Service>,
    /// Further compose files that it includes.
    pub includes: Vec<String>,
}

/// A service of a compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// `deploy.replicas` or `scale`.
    pub replicas: Option<u32>,
    /// The profiles of which one must be chosen; none for a service that is always there.
    pub profiles: Vec<String>,
    /// The service whose settings it takes over, and the file that has it if that is another one.
    pub extends: Option<(Option<String>, String)>,
}

/// A variable's value, by its name.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

#[derive(Deserialize)]
struct RawFile {
    #[serde(default)]
    name: Option<Scalar>,
    #[serde(default)]
    services: Option<BTreeMap<String, Option<RawService>>>,
    #[serde(default)]
    include: Option<Vec<RawInclude>>,
    #[serde(default)]
    version: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct RawService {
    #[serde(default)]
    scale: Option<Scalar>,
    #[serde(default)]
    profiles: Option<Vec<Scalar>>,
    #[serde(default)]
    deploy: Option<RawDeploy>,
    #[serde(default)]
    extends: Option<RawExtends>,
    #[serde(default)]
    image: Option<IgnoredAny>,
    #[serde(default)]
    build: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawDeploy {
    #[serde(default)]
    replicas: Option<Scalar>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawExtends {
    Service(String),
    Other {
        service: String,
        #[serde(default)]
        file: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawInclude {
    Path(String),
    Other { path: OneOrMore },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A number or a text; a number may come from a variable.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u32),
    Text(String),
}

impl Scalar {
    fn text(&self, variables: Variables) -> Result<String, String> {
        match self {
            Self::Number(number) => Ok(number.to_string()),
            Self::Text(text) => interpolated(text, variables),
        }
    }

    fn count(&self, variables: Variables) -> Result<u32, String> {
        let text = self.text(variables)?;
        text.trim().parse().map_err(|_| format!("'{text}' is not a number of replicas"))
    }
}

/// Reads a compose file of any version. The error says what is wrong with it.
pub fn parse(text: &str, variables: Variables) -> Result<ComposeFile, String> {
    let raw: RawFile = serde_saphyr::from_str(text).map_err(|error| one_line(&error.to_string()))?;
    let services = match (raw.services, &raw.include, raw.version) {
        (Some(services), _, _) => services,
        (None, None, None) => first_version(text)?,
        (None, _, _) => BTreeMap::new(),
    };
    let name = raw.name.map(|name| name.text(variables)).transpose()?.filter(|name| !name.is_empty());
    let mut includes = Vec::new();
    for include in raw.include.unwrap_or_default() {
        let paths = match include {
            RawInclude::Path(path) | RawInclude::Other { path: OneOrMore::One(path) } => vec![path],
            RawInclude::Other { path: OneOrMore::More(paths) } => paths,
        };
        for path in paths {
            includes.push(interpolated(&path, variables)?);
        }
    }
    let services = services
        .into_iter()
        .map(|(name, raw)| {
            let service =
                service(raw.unwrap_or_default(), variables).map_err(|reason| format!("service {name}: {reason}"))?;
            Ok((name, service))
        })
        .collect::<Result<_, String>>()?;
    Ok(ComposeFile { name, services, includes })
}

/// The first version of the format has its services at the top.
fn first_version(text: &str) -> Result<BTreeMap<String, Option<RawService>>, String> {
    let services: BTreeMap<String, Option<RawService>> = serde_saphyr::from_str(text).unwrap_or_default();
    let is_service =
        |service: &RawService| service.image.is_some() || service.build.is_some() || service.extends.is_some();
    if services.is_empty() || !services.values().all(|service| service.as_ref().is_some_and(is_service)) {
        return Err("it has no services".to_owned());
    }
    Ok(services)
}

fn service(raw: RawService, variables: Variables) -> Result<Service, String> {
    let replicas = raw.deploy.and_then(|deploy| deploy.replicas).or(raw.scale);
    let profiles = raw.profiles.unwrap_or_default();
    let extends = match raw.extends {
        Some(RawExtends::Service(service)) => Some((None, service)),
        Some(RawExtends::Other { service, file }) => {
            Some((file.map(|file| interpolated(&file, variables)).transpose()?, service))
        }
        None => None,
    };
    Ok(Service {
        replicas: replicas.map(|replicas| replicas.count(variables)).transpose()?,
        profiles: profiles.iter().map(|profile| profile.text(variables)).collect::<Result<_, _>>()?,
        extends,
    })
}

/// The parser's message without the excerpt of the file, which may hold a password.
fn one_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

impl ComposeFile {
    /// This file with what `other`, which is read after it, says instead.
    pub fn overridden_by(&mut self, other: Self) {
        self.name = other.name.or(self.name.take());
        for (name, service) in other.services {
            let known = self.services.entry(name).or_default();
            known.replicas = service.replicas.or(known.replicas);
            known.profiles.extend(service.profiles);
            known.extends = service.extends.or(known.extends.take());
        }
    }

    /// The services that should be up, with their replicas, and those that need not.
    pub fn expected(&self, profiles: &BTreeSet<String>) -> (BTreeMap<String, Option<u32>>, BTreeSet<String>) {
        let is_chosen = |service: &Service| {
            service.profiles.is_empty()
                || profiles.contains("*")
                || service.profiles.iter().any(|profile| profiles.contains(profile))
        };
        let (expected, idle): (BTreeMap<_, _>, BTreeMap<_, _>) = self
            .services
            .iter()
            .map(|(name, service)| (name.clone(), service))
            .partition(|(_, service)| is_chosen(service) && service.replicas != Some(0));
        let replicas = |service: &Service| Some(service.replicas.unwrap_or(1));
        (expected.into_iter().map(|(name, service)| (name, replicas(service))).collect(), idle.into_keys().collect())
    }
}

/// The variables of an `.env` file.
pub fn dotenv(text: &str) -> BTreeMap<String, String> {
    let assignment = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let quoted = |mark: char| value.strip_prefix(mark)?.split_once(mark).map(|(inner, _)| inner);
        let plain = || value.split_once(" #").map_or(value, |(value, _)| value).trim_end();
        let value = quoted('"').or_else(|| quoted('\'')).unwrap_or_else(plain);
        Some((name.trim().to_owned(), value.to_owned()))
    };
    text.lines().filter_map(assignment).collect()
}

/// The name that docker-compose gives to the project in directory `name`.
pub fn project_name(name: &str) -> String {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let name: String = name.to_ascii_lowercase().chars().filter(allowed).collect();
    name.trim_start_matches(['-', '_']).to_owned()
}

/// `text` with its variables: `$NAME`, `${NAME}`, and with a default or a demand `${NAME:-DEFAULT}`, `${NAME-DEFAULT}`,
/// `${NAME:?MESSAGE}`, `${NAME:+OTHER}`. `$$` is a dollar sign.
fn interpolated(text: &str, variables: Variables) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = if let Some(tail) = after.strip_prefix('$') {
            result.push('$');
            tail
        } else if let Some(tail) = after.strip_prefix('{') {
            let (expression, tail) = braced(tail).ok_or("a brace is not closed")?;
            result.push_str(&expanded(expression, variables)?);
            tail
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            let (name, tail) = after.split_at(end);
            result.push_str(&variables(name).unwrap_or_default());
            tail
        };
    }
    Ok(result + rest)
}

/// What stands before the brace that closes the one before `text`, and what after it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((text.get(..at)?, text.get(at + 1..)?)),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The value of what stands in braces.
fn expanded(expression: &str, variables: Variables) -> Result<String, String> {
    let end = expression.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(expression.len());
    let (name, operation) = expression.split_at(end);
    let value = variables(name);
    let (operation, is_strict) = match operation.strip_prefix(':') {
        Some(operation) => (operation, true),
        None => (operation, false),
    };
    // With a colon an empty value counts as none.
    let given = value.clone().filter(|value| !(is_strict && value.is_empty()));
    match operation.split_at_checked(1) {
        None => Ok(value.unwrap_or_default()),
        Some(("-", default)) => given.map_or_else(|| interpolated(default, variables), Ok),
        Some(("+", other)) => given.map_or_else(|| Ok(String::new()), |_| interpolated(other, variables)),
        Some(("?", message)) => given.ok_or_else(|| format!("variable {name} is not set: {message}")),
        Some(_) => Err(format!("'${{{expression}}}' is not a variable")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = r#"
version: "3"
x-logging: &logging
  logging: {driver: json-file}
  deploy: {replicas: 2}
services:
  postgres:
    image: postgres:11
    environment: [POSTGRES_PASSWORD=secret]
    ports: ["5444:5432"]
  kwanza:
    <<: *logging
    image: kwanza
  cuesta:
    build: .
    scale: ${CUESTAS:-3}
  tools:
    image: tools
    profiles: [debug]
  off:
    image: off
    deploy:
      replicas: 0
volumes:
  data:
"#;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn expected(text: &str, profiles: &[&str]) -> Vec<String> {
        let profiles = profiles.iter().map(ToString::to_string).collect();
        let (services, _) = parse(text, &none).unwrap().expected(&profiles);
        services.into_iter().map(|(name, replicas)| format!("{name} {}", replicas.unwrap())).collect()
    }

    #[test]
    fn services_are_expected_by_profile_and_replicas() {
        assert_eq!(expected(GUIDE, &[]), ["cuesta 3", "kwanza 2", "postgres 1"]);
        assert_eq!(expected(GUIDE, &["debug"]), ["cuesta 3", "kwanza 2", "postgres 1", "tools 1"]);
        let idle = parse(GUIDE, &none).unwrap().expected(&BTreeSet::new()).1;
        assert_eq!(idle.into_iter().collect::<Vec<_>>(), ["off", "tools"]);
    }

    #[test]
    fn the_first_version_has_its_services_at_the_top() {
        assert_eq!(
            expected("postgres:\n  image: postgres\nkwanza:\n  build: .\n  scale: 2\n", &[]),
            ["kwanza 2", "postgres 1"]
        );
    }

    #[test]
    fn later_files_override_earlier_ones() {
        let mut file = parse(GUIDE, &none).unwrap();
        file.overridden_by(
            parse("services:\n  kwanza: {deploy: {replicas: 5}}\n  extra: {image: x}\n", &none).unwrap(),
        );
        assert_eq!(file.services["kwanza"].replicas, Some(5));
        assert!(file.services.contains_key("extra"));
        assert_eq!(file.services["cuesta"].replicas, Some(3));
    }

    #[test]
    fn includes_and_extended_services_are_named() {
        let text = "name: ${NAME:-x}y\ninclude:\n  - a.yml\n  - path: [b.yml, c.yml]\nservices:\n  k: {extends: base}\n  l: {extends: {file: f.yml, service: base}}\n";
        let file = parse(text, &none).unwrap();
        assert_eq!(
            (file.name.as_deref(), file.includes.as_slice()),
            (Some("xy"), &["a.yml", "b.yml", "c.yml"].map(str::to_owned)[..])
        );
        assert_eq!(file.services["k"].extends, Some((None, "base".to_owned())));
        assert_eq!(file.services["l"].extends, Some((Some("f.yml".to_owned()), "base".to_owned())));
    }

    #[test]
    fn what_is_no_compose_file_is_refused_in_one_line_without_its_text() {
        for text in [
            "",
            "hello",
            "- a\n- b\n",
            "a: {b: c}\n",
            "services: [a]\n",
            "services:\n  a: {scale: many}\n",
            "services:\n  a: {scale: -1}\n",
            "a: [\n  password: x\n",
            "services: &a\n  b: *a\n",
        ] {
            let refusal = parse(text, &none).unwrap_err();
            assert!(!refusal.contains('\n') && !refusal.contains("password"), "{text}: {refusal}");
        }
        let line = |i: u32| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","));
        let bomb = format!("a0: &a0 [x]\n{}services: {{}}\n", (1..30).map(line).collect::<Vec<_>>().concat());
        assert!(parse(&bomb, &none).is_err());
    }

    #[test]
    fn variables_are_put_in_as_compose_does() {
        let variables = |name: &str| match name {
            "SET" => Some("v".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, value) in [
            ("$SET-${SET}", "v-v"),
            ("$$SET", "$SET"),
            ("${NONE:-d}${NONE-d}${EMPTY:-d}${EMPTY-d}", "ddd"),
            ("${NONE:-${SET}}", "v"),
            ("${SET:+o}${EMPTY:+o}${EMPTY+o}", "oo"),
            ("${NONE}", ""),
        ] {
            assert_eq!(interpolated(text, &variables).as_deref(), Ok(value), "{text}");
        }
        assert!(interpolated("${NONE:?say it}", &variables).unwrap_err().contains("NONE is not set: say it"));
        assert!(interpolated("${SET", &variables).is_err() && interpolated("${SET*}", &variables).is_err());
    }

    #[test]
    fn an_env_file_is_read() {
        let read = dotenv("# x=1\nA=1\nexport B = 'two # 2' \nC=three # 3\nD=\"\"\n\nnonsense\n");
        let pairs: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two # 2"), ("C", "three"), ("D", "")]);
    }

    #[test]
    fn a_project_is_called_by_its_directory() {
        assert_eq!(
            (project_name("Deploy.v2"), project_name("_my-app_1")),
            ("deployv2".to_owned(), "my-app_1".to_owned())
        );
    }
}
