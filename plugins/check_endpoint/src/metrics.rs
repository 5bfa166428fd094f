//! The metric table.

use common::metric::Definition;
use common::units::Unit::{self, Bytes, Number, Seconds};

const fn endpoint(group: &'static str, name: &'static str, unit: Unit, help: &'static str) -> Definition {
    Definition::gauge(group, name, unit, help).per("endpoint")
}

common::metrics! {
    /// Up.
    UP = endpoint("availability", "up", Number, "1 if it answered as it should, else 0; none where the check itself was at fault");
    /// HTTP status.
    STATUS = endpoint("availability", "status", Number, "Status of the last HTTP answer; judged by --expect-status, and by a threshold only where one is given");
    /// gRPC status.
    GRPC_STATUS = endpoint("availability", "grpc_status", Number, "Status of the gRPC answer, 0 for OK, as far as one came");
    /// Body.
    SIZE = endpoint("availability", "size", Bytes, "Body of the last HTTP answer");

    /// Total.
    TIME = endpoint("time", "time", Seconds, "Time from the name's look-up to the end of the answer, redirects included").defaults("2", "8");
    /// DNS.
    DNS_TIME = endpoint("time", "dns_time", Seconds, "Part of it until the name had an address; none where the URL has the address");
    /// Connection.
    CONNECT_TIME = endpoint("time", "connect_time", Seconds, "Part of it until the TCP connection was there");
    /// Handshake.
    TLS_TIME = endpoint("time", "tls_time", Seconds, "Part of it for the TLS handshake");
    /// First byte.
    FIRST_BYTE_TIME = endpoint("time", "first_byte_time", Seconds, "Part of it from the request to the first byte of the answer");

    /// Certificate.
    CERT_EXPIRY = endpoint("certificate", "cert_expiry", Seconds, "Time until the first certificate that the server shows ends, its own or one of its chain; also with --insecure").defaults("14d:", "3d:");
}
