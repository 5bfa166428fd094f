//! The prose of the man page.

use common::page::Page;

/// What `--help` and the metric table do not say.
pub const PAGE: Page = Page {
    description: &[
        "Looks whether endpoints answer, how fast, and how long their certificates last: what the operations guide calls the availability of the services that Kwanza and Cuesta publish. Several endpoints are asked at the same time, all of them within `--timeout`. The options hold for every endpoint that they apply to.",
        "The scheme says how to ask. `http://` and `https://` send one request of HTTP/1.1. `tcp://` only connects and `tls://` only shakes hands. `grpc://` and `grpcs://` ask the standard health service of gRPC, `grpc.health.v1.Health/Check`. PostgreSQL is for check_postgres.",
        "A URL of HTTP without a path asks whether somebody listens: any answer is OK, 401 and 404 too, and 500 to 599 is WARNING. With a path, 200 to 399 is OK and all else CRITICAL. A redirect is shown and not followed without `--follow`.",
        "gRPC is judged by its own status: SERVING is OK, NOT_SERVING CRITICAL. A server without a health service is alive (`--require-health` makes that CRITICAL), and so is one that wants credentials. A service that the server does not know is UNKNOWN.",
        "What refuses, does not answer in time or answers nonsense is CRITICAL, and so is a name that does not exist. A resolver that fails, a file of the check that cannot be read, and a client certificate that is wanted or refused are UNKNOWN. Every fault has a sentence of its own and the next step; where the endpoint's name, its host or the guide's port tells the service, that step is the guide's.",
        "`cert_expiry` counts to the end of the first certificate in the chain that the server shows, with `--insecure` too. A certificate that is in `--ca-file` itself is trusted without a CA, as Kwanza's own is made by itself.",
        "A connection of TLS that is not trusted ends before the request, so that nobody else gets the header fields of `--header-file`. They are not sent to another host that a redirect leads to either. Values in the query of a URL are never printed. A user name or password in a URL is refused.",
    ],
    examples: &[
        (
            "check_endpoint kwanza=grpc://127.0.0.1:8001 cuesta=https://127.0.0.1:443/ --insecure",
            "Kwanza's gRPC and Cuesta's page, with a certificate that it signed itself:",
        ),
        (
            "check_endpoint http://127.0.0.1:8000 http://127.0.0.1:6060/debug/pprof/",
            "That somebody listens, and that a page is there:",
        ),
        ("check_endpoint http://127.0.0.1:80/ --expect-redirect https://127.0.0.1/", "That Cuesta leads to TLS:"),
        (
            "check_endpoint https://cuesta.example/ --ca-file /etc/sirenia/ca.pem -w cert_expiry=30d: -c cert_expiry=7d:",
            "Certificates, a month ahead:",
        ),
        (
            "check_endpoint https://127.0.0.1/status --tls-server-name cuesta.example --expect-body '\"ok\": *true' -w 500ms",
            "By address, with the name of the certificate and a body:",
        ),
        (
            "check_endpoint https://cuesta.example/api --header-file /etc/sirenia/token --expect-status 200",
            "With a token that nobody sees on the command line:",
        ),
        (
            "check_endpoint https://cuesta.example/ --resolve cuesta.example:443:192.0.2.7 -t 5s",
            "A host behind a name, whatever DNS says of it:",
        ),
    ],
    privileges: &[
        "None. The files that `--header-file` and `--client-key` name hold secrets, and should be readable by the monitoring user alone.",
    ],
    files: &[(
        "/etc/ssl/certs/ca-certificates.crt",
        "The CAs that the system trusts, or what stands in its place on other systems; not with `--ca-file` or `--insecure`.",
    )],
    environment: &[],
    see_also: &["curl(1)", "openssl-s_client(1ssl)", "getent(1)"],
    ..Page::EMPTY
};
