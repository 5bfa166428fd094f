//! What the engine says of itself and its containers, as far as the checks use it.

use serde::{Deserialize, Serialize};

use super::lenient;

/// The part of `/info` that the checks use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// Engine version, `20.10.24`.
    #[serde(deserialize_with = "lenient")]
    pub server_version: Option<String>,
    /// Where the engine keeps its data.
    #[serde(deserialize_with = "lenient")]
    pub docker_root_dir: Option<String>,
    /// Containers in state running.
    #[serde(deserialize_with = "lenient")]
    pub containers_running: Option<u64>,
    /// Containers in state paused.
    #[serde(deserialize_with = "lenient")]
    pub containers_paused: Option<u64>,
    /// Containers in any other state.
    #[serde(deserialize_with = "lenient")]
    pub containers_stopped: Option<u64>,
    /// What the engine warns of, in its own words.
    #[serde(deserialize_with = "lenient")]
    pub warnings: Option<Vec<String>>,
}

/// The part of a row of `/containers/json` that the checks use.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// 64 hexadecimal digits.
    pub id: Option<String>,
    /// Names, each with a leading slash; links give a container further ones.
    pub names: Option<Vec<String>>,
}

impl ContainerSummary {
    /// The container's own name, without the slash.
    pub fn name(&self) -> Option<&str> {
        let names = self.names.as_deref().unwrap_or_default();
        // A link's alias holds a second slash.
        let own = names.iter().find(|name| !name.trim_start_matches('/').contains('/')).or(names.first())?;
        Some(own.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_called_by_its_own_name() {
        let names = |names: &[&str]| ContainerSummary {
            names: Some(names.iter().map(ToString::to_string).collect()),
            ..ContainerSummary::default()
        };
        assert_eq!(names(&["/kwanza/db", "/deploy_postgres_1"]).name(), Some("deploy_postgres_1"));
        assert_eq!(names(&[]).name(), None);
        assert_eq!(ContainerSummary::default().name(), None);
    }
}
