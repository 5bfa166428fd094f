//! `crowd PROCESSES FILES [THREADS]`: so many processes that hold so many open files and run so many threads each,
//! until standard input ends.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |position: usize| arguments.get(position).and_then(|text| text.parse::<usize>().ok());
    let threads = number(3).unwrap_or(1);
    match (arguments.get(1).map(String::as_str), number(1), number(2)) {
        (Some("hold"), _, Some(files)) => hold(files, threads),
        (_, Some(processes), Some(files)) => gather(processes, files, threads),
        _ => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

/// Opens files and waits for the end of standard input, which counts as one of three standard streams.
fn hold(files: usize, threads: usize) {
    let held: Vec<File> = (3..files).filter_map(|_| File::open("/dev/null").ok()).collect();
    // They end with the process.
    for _ in 1..threads {
        let _ = std::thread::Builder::new().stack_size(64 * 1024).spawn(std::thread::park);
    }
    wait();
    drop(held);
}

fn gather(processes: usize, files: usize, threads: usize) {
    let Ok(program) = std::env::current_exe() else { return };
    let start = || {
        let mut command = Command::new(&program);
        command.args(["hold", &files.to_string(), &threads.to_string()]).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    };
    let mut crowd: Vec<Child> = (0..processes).filter_map(|_| start()).collect();
    let _ = writeln!(std::io::stdout(), "{}", crowd.len());
    wait();
    for child in &mut crowd {
        drop(child.stdin.take());
        let _ = child.wait();
    }
}

fn wait() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
