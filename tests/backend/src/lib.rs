//! Plays Kwanza and Cuesta for the tests, as the operations guide describes them: the ports, the endpoints, the 23
//! expvars and the lines of their logs. It knows none of Sirenia's own services; what asks for those gets an error.
//!
//! - [`kwanza`]: profiling, expvars, HTTP and gRPC.
//! - [`cuesta`]: a page over TLS, and the redirect to it.
//! - [`expvar`]: what `/debug/vars` says, and how a test makes it say something else.
//! - [`grpc`]: the health service, likewise.
//! - [`ending`]: being asked to end.
//!
//! Each listens from `start` on and ends when its value is dropped. The program `stand-in` runs them in containers.

pub mod cuesta;
pub mod ending;
mod environment;
pub mod expvar;
pub mod grpc;
mod http;
pub mod kwanza;
mod log;
mod postgres;
mod profiling;
mod server;

pub use cuesta::Cuesta;
pub use kwanza::Kwanza;
