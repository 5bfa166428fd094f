//! Go's default mux, which all listeners without a mux of their own share: `/debug/vars` and `/debug/pprof/`.

use std::time::Instant;

use hyper::{Method, StatusCode};

use crate::expvar::{self, Figures};
use crate::http::{Answer, Body, error, found, not_found, redirect, refusal};

/// What started the process, as far as it says so.
const COMMAND_LINE: [&str; 2] = ["kwanza", "serve"];

/// How many goroutines there are.
const GOROUTINES: usize = 23;

/// What the mux answers.
pub fn answer(method: &Method, path: &str, figures: &Figures) -> Answer {
    if path == "/debug/pprof" {
        return redirect(StatusCode::MOVED_PERMANENTLY, "/debug/pprof/");
    }
    let profile = path.strip_prefix("/debug/pprof/");
    if path != "/debug/vars" && profile.is_none() {
        return not_found();
    }
    if let Some(refusal) = refusal(method) {
        return refusal;
    }
    match profile {
        None => {
            let page = match &figures.answer {
                Some(expvar::Answer::Body(body)) => body.clone(),
                _ => figures.page(&COMMAND_LINE, Instant::now()).into_bytes(),
            };
            found("application/json; charset=utf-8", Body::chunked(page))
        }
        Some("") => found("text/html; charset=utf-8", Body::whole(&index())),
        Some("cmdline") => found("text/plain; charset=utf-8", Body::whole(&COMMAND_LINE.join("\0"))),
        Some("goroutine") => found("text/plain; charset=utf-8", Body::whole(&goroutines())),
        Some(_) => error(StatusCode::NOT_FOUND, "Unknown profile"),
    }
}

/// The profiles, with how much is in each.
fn index() -> String {
    let row =
        |count: usize, name: &str| format!("<tr><td>{count}</td><td><a href='{name}?debug=1'>{name}</a></td></tr>\n");
    let rows: String = [(412, "allocs"), (0, "block"), (0, "cmdline"), (GOROUTINES, "goroutine"), (412, "heap")]
        .into_iter()
        .chain([(0, "mutex"), (0, "profile"), (9, "threadcreate"), (0, "trace")])
        .map(|(count, name)| row(count, name))
        .collect();
    format!(
        "<html>\n<head>\n<title>/debug/pprof/</title>\n</head>\n<body>\n/debug/pprof/\n<br>\n<p>Types of profiles \
         available:</p>\n<table>\n<thead><td>Count</td><td>Profile</td></thead>\n{rows}</table>\n\
         <a href=\"goroutine?debug=2\">full goroutine stack dump</a>\n<br>\n</body>\n</html>\n"
    )
}

fn goroutines() -> String {
    format!(
        "goroutine profile: total {GOROUTINES}\n{} @ 0x43c5d6 0x40b15f 0x40ad55 0x6f8d2b 0x46a5c1\n\
         #\t0x6f8d2a\trunner.(*Runner).serve+0x4a\trunner/runner.go:136\n\n1 @ 0x43c5d6 0x434f97 0x46a5c1\n\
         #\t0x434f96\tmain.main+0x96\tmain.go:21\n\n",
        GOROUTINES - 1
    )
}
