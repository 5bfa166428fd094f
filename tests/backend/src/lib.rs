//! Plays Kwanza and Cuesta for the tests, as the operations guide describes them: the ports, the endpoints, the 23
//! expvars and the lines of their logs. It knows none of Sirenia's own services; what asks for those gets an error.
//!
//! - [`kwanza`]: profiling, expvars, HTTP and gRPC.
//! - [`cuesta`]: a page over TLS, and the redirect to it.
//! - [`expvar`]: what `/debug/vars` says, and how a test makes it say something else.
//! - [`grpc`]: the health service, likewise.
//! - [`engine`]: a Docker Engine that plays what a real one said of the containers.
//! - [`host`]: the machine that they run on.
//! - [`database`]: PostgreSQL, or a recording of it; [`dumps`]: its backups.
//! - [`ending`]: being asked to end.
//! - [`whole`]: all of that at once, in a folder of its own, with faults to choose from.
//!
//! Each listens from `start` on and ends when its value is dropped. The program `stand-in` runs them in containers.

mod acceptor;
pub mod cuesta;
pub mod database;
pub mod dumps;
pub mod ending;
pub mod engine;
mod environment;
pub mod expvar;
pub mod grpc;
pub mod host;
mod http;
pub mod kwanza;
mod log;
mod logs;
mod postgres;
mod profiling;
pub mod recorded;
mod server;
pub mod whole;

pub use cuesta::Cuesta;
pub use kwanza::Kwanza;
pub use whole::{Backend, Fault};
