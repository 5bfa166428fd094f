//! A page with a million subscribers.

use std::fmt::Write as _;

use support::need;
use support::run::{Output, Run};

use crate::kwanza::{GO, Site, binary, checked, figure, recorded};

/// What the check may take, in kB.
const MOST: u64 = 40 << 10;

/// The recorded page with this many subscribers of three streams each, in the bytes of Go, as `subscribers.py` has it.
fn page(go: &str, count: usize) -> Vec<u8> {
    let text = String::from_utf8(recorded(go, "subscribers.json")).unwrap();
    let mut page = String::with_capacity(40 * count + text.len());
    for line in text.split_inclusive('\n') {
        if !line.starts_with("\"PerSubscriberStreams\": ") {
            page.push_str(line);
            continue;
        }
        page.push_str("\"PerSubscriberStreams\": {");
        for index in 0..count {
            let comma = if index == 0 { "" } else { ", " };
            write!(page, "{comma}\"manatee-{index:07}.example\": 3").unwrap();
        }
        page.push_str("},\n");
    }
    page.into_bytes()
}

/// A whole answer in chunks of this size.
fn chunked(page: &[u8], size: usize) -> Vec<u8> {
    let mut answer =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in page.chunks(size) {
        answer.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        answer.extend_from_slice(piece);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

/// A run, and its peak memory in kB.
fn measured(site: &Site) -> (Output, u64) {
    let time = need("/usr/bin/time", "apt-get install time");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("memory");
    let run = Run::new(time).no_state_dir().args(["--quiet", "--format", "%M", "--output"]).arg(&file).arg(binary());
    let run = run.arg("--state-dir").arg(site.state()).args(["--url", &site.url(), "-t", "50s", "-c", "time="]);
    let output = checked(run.output());
    (output, std::fs::read_to_string(&file).unwrap().trim().parse().unwrap())
}

#[test]
fn a_million_subscribers_take_little_memory() {
    for (go, size) in GO.into_iter().zip([2048, usize::MAX]) {
        let page = page(go, 1_000_000);
        assert!(page.len() > 30_000_000);
        let site = Site::raw(chunked(&page, size.min(page.len())));
        let (output, memory) = measured(&site);
        assert_eq!(figure(&output, "subscribers").as_deref(), Some("1000000"), "{}", output.stdout);
        assert_eq!(figure(&output, "subscriber_streams").as_deref(), Some("3000000"), "{}", output.stdout);
        assert_eq!(figure(&output, "Streams").as_deref(), Some("12"));
        assert_eq!(figure(&output, "size"), Some(page.len().to_string()));
        assert!(memory < MOST, "{memory} kB");
    }
}

#[test]
fn the_generator_writes_what_go_wrote() {
    for go in GO {
        assert_eq!(
            String::from_utf8(page(go, 10)).unwrap(),
            String::from_utf8(recorded(go, "subscribers.json")).unwrap()
        );
    }
}
