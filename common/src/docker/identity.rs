//! Which container a process belongs to.

/// `/proc/PID/cgroup`: the ID of the container that the process belongs to, whichever engine, driver and
/// cgroup version made the path.
pub fn container_id(text: &str) -> Option<&str> {
    const DIGITS: usize = 64;
    let is_id = |word: &&str| word.len() == DIGITS;
    let path = |line: &'_ str| -> Option<usize> { line.match_indices(':').nth(1).map(|(at, _)| at + 1) };
    text.lines()
        .filter_map(|line| line.get(path(line)?..))
        // The innermost container, where one runs in another.
        .find_map(|path| path.rsplit(|c: char| !c.is_ascii_hexdigit()).find(is_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_ids_are_found_under_every_driver() {
        let id = "3f2a".repeat(16);
        for path in [
            format!("12:cpu,cpuacct:/docker/{id}\n"),
            format!("0::/system.slice/docker-{id}.scope\n"),
            format!("0::/../docker-{id}.scope/init\n"),
            format!("1:name=systemd:/\n4:memory:/kubepods/besteffort/pod1/{id}\n"),
            format!("0::/user.slice/user-1000.slice/libpod-{id}.scope/container\n"),
        ] {
            assert_eq!(container_id(&path), Some(id.as_str()), "{path}");
        }
        for path in ["0::/init.scope\n", "garbage", "", &format!("0::/docker/{id}0\n")] {
            assert_eq!(container_id(path), None, "{path}");
        }
    }
}
