//! Pressure stall information (PSI), of the host and of cgroups alike.

/// Percent of the time in which threads waited for a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stall {
    /// Some thread, over 10 and 60 seconds.
    pub some: [f64; 2],
    /// Every thread that could run, over 10 and 60 seconds; `None` for the CPU before Linux 5.13.
    pub full: Option<[f64; 2]>,
}

/// Reads a file of `/proc/pressure`, or a cgroup's `memory.pressure` and its kin.
pub fn parse(text: &str) -> Result<Stall, String> {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let averages = |line: &str| -> Option<[f64; 2]> {
        let value = |name: &str| {
            let value: f64 = line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name))?.parse().ok()?;
            (0.0..=100.0).contains(&value).then_some(value)
        };
        Some([value("avg10=")?, value("avg60=")?])
    };
    let some = line("some ").and_then(averages).ok_or("the line 'some' is missing or garbled")?;
    let full = line("full ").map(|line| averages(line).ok_or("the line 'full' is garbled")).transpose()?;
    Ok(Stall { some, full })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_read_and_garbage_is_refused() {
        let some = "some avg10=1.50 avg60=2.00 avg300=0.00 total=7\n";
        assert_eq!(parse(some), Ok(Stall { some: [1.5, 2.0], full: None }));
        let both = format!("{some}full avg10=0.00 avg60=0.25 avg300=0.00 total=7\n");
        assert_eq!(parse(&both), Ok(Stall { some: [1.5, 2.0], full: Some([0.0, 0.25]) }));
        for garbage in [
            "",
            "some",
            "some avg10=1",
            "some avg10=101 avg60=0",
            "some avg10=nan avg60=0",
            &format!("{some}full avg10=x"),
        ] {
            assert!(parse(garbage).is_err(), "{garbage}");
        }
    }
}
