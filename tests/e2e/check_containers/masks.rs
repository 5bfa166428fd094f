//! What differs from run to run, masked.

/// Performance data whose value depends on the moment.
const VARIABLE: [&str; 15] = [
    "uptime",
    "cpu_percent",
    "cpu_cores",
    "cpu_throttled_percent",
    "memory_used_percent",
    "memory_used",
    "pids",
    "pids_used_percent",
    "cpu_pressure_some",
    "memory_pressure_full",
    "io_pressure_full",
    "read_bytes_per_second",
    "write_bytes_per_second",
    "rx_bytes_per_second",
    "tx_bytes_per_second",
];

/// Reads each ID, twelve hexadecimal digits or more, as `{id}`, and the name of a temporary directory as `{tmp}`.
pub fn ids(text: impl AsRef<str>) -> String {
    let is_id = |word: &str| {
        word.len() >= 12
            && word.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
            && word.contains(|c: char| c.is_ascii_digit())
    };
    let mut masked = String::new();
    for piece in text.as_ref().split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_temporary = masked.ends_with('.') && word.len() == 9 && word.starts_with("tmp");
        match () {
            () if is_id(word) => masked.push_str(&piece.replace(word, "{id}")),
            () if is_temporary => masked.push_str(&piece.replace(word, "{tmp}")),
            () => masked.push_str(piece),
        }
    }
    masked
}

/// Reads what PostgreSQL logs when a client comes too early as the line that is there otherwise, before it is ready.
pub fn early_clients(text: impl AsRef<str>) -> String {
    let early = "FATAL:  the database system is starting up";
    text.as_ref().replace(early, "LOG:  database system was shut down at {date} {time} UTC")
}

/// Masks what the words of a line give away of the moment: dates, ages, shares and sizes.
pub fn words(text: impl AsRef<str>) -> String {
    text.as_ref().split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let before = words.last().map(String::as_str).unwrap_or_default();
        let (core, end) = core(word);
        let is_figure = is_number(core) && ["cpu", "memory", "throttled", "limit,"].contains(&before);
        let is_size = before == "{n}" && ["B", "KiB", "MiB", "GiB"].contains(&core);
        // `3m 20s` is one age.
        let is_rest_of_age = before == "{age}" && is_duration(core);
        // How often a health check failed, and whether one is under way.
        let is_counted = is_number(before) && ["times", "process", "processes"].contains(&core);
        // Which one is the busiest when none is busy.
        let is_busiest = words.ends_with(&["most", "cpu", "{n}", "%"].map(str::to_owned));
        if is_size || is_rest_of_age || is_counted {
            words.pop();
        }
        words.push(match () {
            () if is_date(core, '-') => format!("{{date}}{end}"),
            () if is_date(core, ':') => format!("{{time}}{end}"),
            // Of a process of PostgreSQL other than the first.
            () if is_address(core) => format!("{{address}}{end}"),
            () if is_pid(core) => format!("[{{pid}}]{end}"),
            () if is_duration(core) => format!("{{age}}{end}"),
            () if is_figure => format!("{{n}}{end}"),
            () if is_busiest => format!("{{busiest}}{end}"),
            () if is_counted => format!("{{n}} {}{end}", core.replace("process", "processes").replace("eses", "es")),
            () if is_size => format!("{{size}}{end}"),
            () => word.to_owned(),
        });
    }
    words.join(" ")
}

/// A word and what closes it.
fn core(word: &str) -> (&str, &str) {
    let end = word.trim_end_matches([',', ';', ':', ')', '\n']).len();
    word.split_at(end)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Whether it is an address, with its port, in a network of the engine.
fn is_address(word: &str) -> bool {
    let is_of_engine = |host: &str| is_number(host) && host.split('.').count() == 4 && !host.starts_with("127.");
    word.split_once(':').is_some_and(|(host, port)| is_of_engine(host) && is_number(port))
}

fn is_pid(word: &str) -> bool {
    let pid = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    pid.is_some_and(|pid| is_number(pid) && pid != "1")
}

/// Whether it is three numbers with `mark` between them: a date or a time of day.
fn is_date(word: &str, mark: char) -> bool {
    word.split(mark).count() == 3 && word.split(mark).all(is_number)
}

fn is_duration(word: &str) -> bool {
    ["ms", "s", "m", "h", "d"].iter().any(|unit| word.strip_suffix(unit).is_some_and(is_number))
}

/// Masks the values of performance data that depend on the moment; thresholds and limits stay.
pub fn figures(text: String) -> String {
    let Some((first, rest)) = text.split_once('\n') else { return text };
    let Some((said, data)) = first.split_once(" | ") else { return text };
    let data: Vec<String> = data.split(' ').map(figure).collect();
    format!("{said} | {}\n{rest}", data.join(" "))
}

fn figure(datum: &str) -> String {
    let Some((label, value)) = datum.rsplit_once('=') else { return datum.to_owned() };
    let metric = label.trim_end_matches('\'').rsplit(':').next().unwrap_or_default();
    if !VARIABLE.contains(&metric) {
        return datum.to_owned();
    }
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    format!("{label}={{n}}{}", &value[end..])
}
