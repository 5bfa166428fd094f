//! What a run comes to: what it found, or why it found nothing.

use common::docker::{Container, EngineError};
use common::http::TlsError;

use crate::collect::Open;
use crate::connect::Session;
use crate::snapshot::{QueryFault, Snapshot};

/// A session, and what it brought.
#[derive(Debug)]
pub struct Found {
    /// How the session was made.
    pub session: Session,
    /// Seconds that all statements took.
    pub query_time: f64,
    /// What they brought.
    pub snapshot: Snapshot,
    /// The session itself, as long as the server answers.
    pub open: Option<Open>,
}

/// Why a run has nothing to judge.
#[derive(Debug)]
pub enum Fault {
    /// An option, a setting or a file of the check's own cannot be used: which, and why.
    Ours(String),
    /// The engine that knows where the container is does not answer as it should.
    Engine(EngineError),
    /// The container cannot be reached: why.
    Container(String),
    /// The container that should tell where the server is does not run.
    Down(Box<Look>),
    /// No server let us in.
    Connection(Box<NoConnection>),
    /// The session was made and brought nothing.
    Query {
        /// The server.
        server: String,
        /// What it says.
        fault: QueryFault,
    },
    /// The session was made, and then the server fell silent.
    Hang {
        /// The server.
        server: String,
        /// What it was asked then.
        step: String,
        /// Whether it took the request to cancel.
        is_cancelled: bool,
    },
}

/// No server let us in.
#[derive(Debug)]
pub struct NoConnection {
    /// Who wanted to get in.
    pub user: String,
    /// To which database.
    pub database: String,
    /// Each server that was asked, in that order.
    pub failures: Vec<Failure>,
    /// What the engine says of the container, where one was named.
    pub container: Option<Result<Box<Look>, EngineError>>,
    /// What is odd and does no harm by itself.
    pub notes: Vec<String>,
}

/// What the engine tells of a server's container.
#[derive(Debug)]
pub struct Look {
    /// The container.
    pub container: Container,
    /// The last lines of its log; empty where they cannot be read.
    pub log: Vec<u8>,
}

/// A server that did not let us in.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where it is.
    pub server: String,
    /// Why.
    pub cause: Cause,
    /// The file that the password was taken from.
    pub password_file: Option<String>,
}

/// Why a server did not let us in.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The name has no address.
    Name(String),
    /// Nothing listens on the port.
    Refused,
    /// There is no socket.
    NoSocket,
    /// The socket is there, and nobody listens.
    DeadSocket,
    /// This user may not use the socket.
    SocketRights,
    /// There is no way to the address.
    NoRoute(String),
    /// Nobody answers at the address.
    NoAnswer(f64),
    /// The connection is accepted and then nothing comes.
    Silent(f64),
    /// The connection is accepted and closed again.
    Closed,
    /// Something else is wrong with the connection.
    Broken(String),
    /// Another program listens: how it answers.
    Stranger(Vec<u8>),
    /// TLS is demanded and the server has none.
    NoTls,
    /// There is no TLS connection that can be trusted.
    Tls(TlsError),
    /// A password is wanted and none is known.
    NoPassword,
    /// The way to log in cannot be gone.
    Login(String),
    /// The server refuses.
    Server {
        /// SQLSTATE.
        code: String,
        /// Its words.
        message: String,
        /// More of them.
        detail: Option<String>,
    },
    /// It is not the kind of server that is wanted: which is.
    Role(&'static str),
}

impl Cause {
    /// Whether it may help to ask the next server, as libpq sees it.
    pub fn lets_others_try(&self) -> bool {
        match self {
            Self::Server { code, .. } => code == "57P03",
            Self::Tls(_) | Self::NoTls | Self::NoPassword | Self::Login(_) => false,
            _ => true,
        }
    }
}
