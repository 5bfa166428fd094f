//! Names, addresses and connections.

use std::net::TcpListener;
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, connect, getsockname, listen, socket,
};
use std::os::fd::AsRawFd as _;
use support::http::{Answer, Server};

use crate::{free_port, greets, says};

#[test]
fn critical_refused_with_the_guides_next_step() {
    let nobody = free_port();
    for (name, scheme, service) in
        [("kwanza", "grpc", "kwanza"), ("Cuesta-page", "https", "cuesta"), ("kwanza.http", "http", "kwanza")]
    {
        let url = format!("{}={scheme}://{nobody}", name.to_lowercase());
        let words = [
            "refuses connections, nothing listens at 127.0.0.1:",
            &format!("-> docker-compose ps {service}; docker-compose up -d {service}"),
            &format!("-> docker-compose logs --tail 50 {service}"),
            ":up=0",
        ];
        says(2, &[&url], &words);
    }
    says(2, &[&format!("tcp://{nobody}")], &["-> docker-compose ps (is its container Up, and is the port published?)"]);
}

#[test]
fn the_ports_of_the_guide_tell_the_service() {
    for (port, service) in [("8001", "kwanza"), ("443", "cuesta")] {
        let url = format!("tcp://localhost:{port}");
        // Whether or not somebody listens there on this machine, nobody does at that address.
        let resolve = format!("localhost:{port}:127.255.255.254");
        says(2, &[&url, "--resolve", &resolve, "-t", "2s"], &[&format!("docker-compose up -d {service}")]);
    }
}

#[test]
fn ok_connections() {
    let server = greets(b"");
    says(
        0,
        &[&format!("postgres=tcp://{server}")],
        &["ENDPOINT OK - postgres: connects in ", "postgres:connect_time="],
    );
}

#[test]
fn critical_no_such_name() {
    // A label is no longer than 63 characters, so that no resolver has to be asked.
    let host = "x".repeat(64);
    let words = [&format!("cannot be found: there is no host called {host} (DNS)"), "-> getent hosts"];
    says(2, &[&format!("http://{host}/")], &words);
}

#[test]
fn addresses_are_chosen() {
    let server = Server::tcp(|routes| routes.on("GET", "/", Answer::text("x")));
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    let resolve = format!("cuesta.invalid:{port}:127.0.0.1");
    let url = format!("http://cuesta.invalid:{port}/");
    says(0, &[&url, "--resolve", &resolve], &["HTTP 200"]);
    assert_eq!(server.requests()[0].header("host"), Some(format!("cuesta.invalid:{port}").as_str()));
    says(2, &[&url, "--resolve", &resolve, "-6"], &["has no address of IPv6"]);
    says(2, &[&format!("http://127.0.0.1:{port}/"), "-6"], &["has no address of IPv6"]);
    says(0, &[&format!("http://localhost:{port}/"), "-4", "-vv"], &["dns ", &format!("at 127.0.0.1:{port}")]);
}

#[test]
fn ipv6_is_spoken_to_and_the_next_address_is_tried() {
    let listener =
        TcpListener::bind("[::1]:0").expect("this test needs IPv6 on loopback: sysctl net.ipv6.conf.lo.disable_ipv6=0");
    let port = listener.local_addr().unwrap().port();
    says(0, &[&format!("tcp://[::1]:{port}")], &["tcp://[::1]:", "connects in "]);
    let (first, second) = (format!("h:{port}:127.0.0.1"), format!("h:{port}:::1"));
    let both = [&format!("tcp://h:{port}"), "--resolve", &first, "--resolve", &second];
    says(0, &[&both[..], &["-v"]].concat(), &[&format!("(127.0.0.1:{port} was tried first: connection refused)")]);
    drop(listener);
    let causes = [format!("127.0.0.1:{port}: connection refused"), format!("[::1]:{port}: connection refused")];
    says(2, &both, &[&causes[0], &causes[1]]);
}

#[test]
fn critical_connection_that_nobody_takes() {
    // A server that is stopped, and whose backlog is full.
    let server = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None).unwrap();
    bind(server.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
    listen(&server, Backlog::new(0).unwrap()).unwrap();
    let address: SockaddrIn = getsockname(server.as_raw_fd()).unwrap();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let client = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
            let _ = connect(client.as_raw_fd(), &address);
            client
        })
        .collect();
    let output = says(2, &[&format!("tcp://{address}"), "-t", "700ms"], &["does not take the connection within "]);
    assert!(output.elapsed < Duration::from_millis(1200), "{:?}", output.elapsed);
    drop(waiting);
}

#[test]
fn endpoints_are_asked_at_the_same_time() {
    let slow = || {
        Server::tcp(|routes| routes.on("GET", "/", Answer::Drip { body: Vec::new(), every: Duration::from_millis(10) }))
    };
    let servers: Vec<Server> = (0..5).map(|_| slow()).collect();
    let urls: Vec<String> = servers.iter().map(|server| format!("http://{}", server.address())).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let one = says(0, &urls[..1], &["HTTP 200"]).elapsed;
    let all = says(0, &urls, &["5 endpoints answer, slowest "]).elapsed;
    assert!(all < one * 2, "{all:?} for five, {one:?} for one");
}

#[test]
fn one_that_hangs_does_not_hide_the_others() {
    let good = Server::tcp(|routes| routes.on("GET", "/", Answer::text("x")));
    let (good, bad) = (format!("good=http://{}/", good.address()), format!("bad=http://{}/", greets(b"")));
    let output = says(
        2,
        &[&good, &bad, "-t", "1s"],
        &["bad takes the connection and does not answer", "1 of 2 endpoints up", "good:up=1"],
    );
    assert!(output.elapsed < Duration::from_millis(1500), "{:?}", output.elapsed);
}
