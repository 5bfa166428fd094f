//! What images, containers, volumes and the build cache take on the disk.

use serde::Deserialize;

/// The part of `/system/df` that the checks use. Sizes are bytes; -1 is "not computed".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DiskUsage {
    layers_size: Option<i64>,
    images: Option<Vec<ImageUsage>>,
    containers: Option<Vec<ContainerUsage>>,
    volumes: Option<Vec<VolumeUsage>>,
    build_cache: Option<Vec<CacheUsage>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ImageUsage {
    size: Option<i64>,
    shared_size: Option<i64>,
    containers: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ContainerUsage {
    state: Option<String>,
    size_rw: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeUsage {
    usage_data: Option<VolumeSize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeSize {
    size: Option<i64>,
    ref_count: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CacheUsage {
    size: Option<i64>,
    in_use: Option<bool>,
    shared: Option<bool>,
}

/// Bytes that `docker system prune` and its kin would free, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimable {
    /// Layers of images that no container uses.
    pub images: u64,
    /// Writable layers of containers that do not run.
    pub containers: u64,
    /// Volumes that no container mounts.
    pub volumes: u64,
    /// Build cache that is not in use.
    pub build_cache: u64,
}

impl DiskUsage {
    /// What could be freed, computed as `docker system df` does.
    pub fn reclaimable(&self) -> Reclaimable {
        let used_images: u64 = self
            .images
            .iter()
            .flatten()
            .filter(|image| image.containers.is_some_and(|count| count > 0))
            .map(|image| bytes(image.size).saturating_sub(bytes(image.shared_size)))
            .sum();
        let stopped = |container: &&ContainerUsage| {
            !matches!(container.state.as_deref(), Some("running" | "paused" | "restarting"))
        };
        let unused = |volume: &VolumeSize| volume.ref_count.is_some_and(|count| count == 0);
        let idle = |cache: &&CacheUsage| cache.in_use == Some(false) && cache.shared != Some(true);
        let volumes = self.volumes.iter().flatten().filter_map(|volume| volume.usage_data.as_ref());
        Reclaimable {
            images: bytes(self.layers_size).saturating_sub(used_images),
            containers: self.containers.iter().flatten().filter(stopped).map(|each| bytes(each.size_rw)).sum(),
            volumes: volumes.filter(|volume| unused(volume)).map(|volume| bytes(volume.size)).sum(),
            build_cache: self.build_cache.iter().flatten().filter(idle).map(|each| bytes(each.size)).sum(),
        }
    }
}

fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reclaimable_space_is_that_of_docker_system_df() {
        let usage: DiskUsage = serde_json::from_str(
            r#"{"LayersSize": 1000,
                "Images": [{"Size": 700, "SharedSize": 100, "Containers": 1}, {"Size": 500, "SharedSize": 100, "Containers": 0}],
                "Containers": [{"State": "running", "SizeRw": 9}, {"State": "exited", "SizeRw": 20}, {"State": "exited"}],
                "Volumes": [{"UsageData": {"Size": 30, "RefCount": 0}}, {"UsageData": {"Size": 8, "RefCount": 2}}, {"UsageData": null}],
                "BuildCache": [{"Size": 5, "InUse": false, "Shared": false}, {"Size": 6, "InUse": true}]}"#,
        )
        .unwrap();
        assert_eq!(usage.reclaimable(), Reclaimable { images: 400, containers: 20, volumes: 30, build_cache: 5 });
        let empty: DiskUsage = serde_json::from_str(r#"{"LayersSize": -1, "Images": null}"#).unwrap();
        assert_eq!(empty.reclaimable(), Reclaimable::default());
    }
}
