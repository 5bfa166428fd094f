//! Being asked to end: ctrl-C, and the signals of those who end programs.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears that the program is asked to end, which then is up to the program.
#[derive(Debug)]
pub struct Ending {
    is_asked: Arc<AtomicBool>,
    /// Ends when it is.
    asked: Mutex<Receiver<()>>,
}

impl Ending {
    /// Listens from now on.
    pub fn listen() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot listen to signals: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let entered = runtime.enter();
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let mut signals: Vec<Signal> = kinds.into_iter().map(signal).collect::<Result<_, _>>().map_err(failed)?;
        drop(entered);
        let is_asked = Arc::new(AtomicBool::new(false));
        let ((sender, asked), flag) = (channel(), Arc::clone(&is_asked));
        thread::spawn(move || {
            runtime.block_on(poll_fn(|context| {
                let is_ready = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
                if is_ready { Poll::Ready(()) } else { Poll::Pending }
            }));
            flag.store(true, Ordering::Release);
            drop(sender);
        });
        Ok(Self { is_asked, asked: Mutex::new(asked) })
    }

    /// Whether it was asked to.
    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Acquire)
    }

    /// Whether it is within `patience`.
    pub fn is_asked_within(&self, patience: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
    }

    /// Waits until it is.
    pub fn wait(&self) {
        let _ = self.asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
    }
}
