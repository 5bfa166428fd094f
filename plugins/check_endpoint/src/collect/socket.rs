//! A TCP connection that never waits beyond the end of its time, and a stream over it, with TLS or without.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustls::ClientConnection;

/// First bytes that are remembered, to tell what the server speaks.
const REMEMBERED: usize = 64;

/// A connection.
#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    end: Instant,
    /// Whether reading and writing wait; else they say that they would have to.
    waits: bool,
    /// Whether the last byte to be written is still here.
    is_full: bool,
    first: Vec<u8>,
}

impl Socket {
    /// Connects to `address` by `by`. Whatever follows ends by `end`.
    pub fn connect(address: SocketAddr, by: Instant, end: Instant) -> io::Result<Self> {
        let allowed = by.saturating_duration_since(Instant::now());
        if allowed.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        let tcp = TcpStream::connect_timeout(&address, allowed)?;
        tcp.set_nonblocking(true)?;
        // A question is one small packet, which has nothing to wait for.
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, end, waits: true, is_full: false, first: Vec::new() })
    }

    /// The first bytes that came.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// Lets the time end earlier or later.
    pub fn set_end(&mut self, end: Instant) {
        self.end = end;
    }

    /// Waits until there is something to read, or to write where that is `full`.
    fn wait(&self, flags: PollFlags) -> io::Result<()> {
        loop {
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            // Rounded up, so that it does not turn in circles for the last millisecond.
            let timeout = PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(self.tcp.as_fd(), flags)], timeout) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // There is always something to read from a server that never stops.
            if Instant::now() >= self.end {
                return Err(ErrorKind::TimedOut.into());
            }
            match self.tcp.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.waits => self.wait(PollFlags::POLLIN)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(count) => {
                    remember(&mut self.first, buffer, count);
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let written = self.tcp.write(bytes);
            self.is_full = written.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
            match written {
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.waits => self.wait(PollFlags::POLLOUT)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn remember(first: &mut Vec<u8>, buffer: &[u8], count: usize) {
    let room = REMEMBERED.saturating_sub(first.len());
    first.extend_from_slice(buffer.get(..count.min(room)).unwrap_or_default());
}

/// What a protocol is spoken over.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    first: Vec<u8>,
}

impl Stream {
    /// Over `socket` as it is.
    pub fn plain(socket: Socket) -> Self {
        Self { socket, tls: None, first: Vec::new() }
    }

    /// Over TLS, whose handshake is done.
    pub fn encrypted(socket: Socket, tls: Box<ClientConnection>) -> Self {
        Self { socket, tls: Some(tls), first: Vec::new() }
    }

    /// The first bytes of what the server said, without TLS around it.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// Lets reading and writing say that they would have to wait, instead of waiting; [`Stream::wait`] does that then.
    pub fn do_not_wait(&mut self) {
        self.socket.waits = false;
    }

    /// Waits until reading or writing can go on.
    pub fn wait(&self) -> io::Result<()> {
        let writes = self.socket.is_full || self.tls.as_ref().is_some_and(|tls| tls.wants_write());
        let flags = if writes { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
        self.socket.wait(flags)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.tls {
            None => self.socket.read(buffer),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.socket).read(buffer),
        };
        // Many servers close without the farewell of TLS. What framing there is above tells a loss.
        let read = match read {
            Err(error) if self.tls.is_some() && error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            read => read,
        };
        if let Ok(count) = read {
            remember(&mut self.first, buffer, count);
        }
        read
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.socket.write(bytes),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.socket).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => rustls::Stream::new(&mut **tls, &mut self.socket).flush(),
        }
    }
}
