//! A listener on loopback with a thread a connection.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A client that keeps silent for longer is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Accepts connections until it is dropped.
#[derive(Debug)]
pub struct Acceptor {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Lets `serve` have each connection of `listener`. What it cannot do is the client's concern.
    pub fn start(
        listener: TcpListener,
        serve: impl Fn(&TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("the address of a listener");
        let (serve, ends) = (Arc::new(serve), Arc::new(AtomicBool::new(false)));
        let over = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let _ = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    let _ = serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, ends, thread: Some(thread) }
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        // Wakes the thread that waits for the next connection.
        let is_awake = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| is_awake) {
            let _ = thread.join();
        }
    }
}
