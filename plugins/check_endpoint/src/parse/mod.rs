//! Bytes and texts from elsewhere to facts. Pure.

pub mod certificate;
pub mod grpc;
pub mod header_file;
pub mod http;
pub mod lookup;
pub mod percent;
pub mod speech;
