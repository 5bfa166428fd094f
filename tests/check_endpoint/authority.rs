//! Certificates, and TLS before servers that speak none.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// A CA of the test's own, with a directory for files.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
    directory: TempDir,
}

/// A certificate and its key, in PEM.
pub struct Pair {
    pub chain: String,
    pub key: String,
}

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub fn new() -> Self {
        let mut params = params("the CA", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem, directory: tempfile::tempdir().unwrap() }
    }

    pub fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// The file of the CA.
    pub fn ca(&self) -> String {
        self.file("ca.pem", &self.pem)
    }

    /// A certificate for `hosts`, as `adjust` changes it.
    pub fn issue(&self, hosts: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut params = params("cuesta", hosts);
        adjust(&mut params);
        let key = KeyPair::generate().unwrap();
        Pair { chain: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }

    /// A certificate of a CA in the middle, which ends with `adjust`, and it behind it.
    pub fn issue_in_chain(&self, hosts: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
        let mut middle = params("the middle", &[]);
        middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        adjust(&mut middle);
        let middle_key = KeyPair::generate().unwrap();
        let middle_pem = middle.signed_by(&middle_key, &self.issuer).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let leaf = params("cuesta", hosts).signed_by(&key, &Issuer::new(middle, middle_key)).unwrap().pem();
        Pair { chain: leaf + &middle_pem, key: key.serialize_pem() }
    }
}

/// A certificate that has signed itself.
pub fn self_signed(hosts: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Pair {
    let mut params = params("kwanza", hosts);
    adjust(&mut params);
    let key = KeyPair::generate().unwrap();
    Pair { chain: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// How a server shakes hands.
pub struct Manners<'a> {
    pub protocols: &'a [&'a [u8]],
    pub versions: &'a [&'static SupportedProtocolVersion],
    /// Whose clients it takes, and no others.
    pub clients: Option<&'a Authority>,
}

impl Default for Manners<'_> {
    fn default() -> Self {
        Self { protocols: &[], versions: ALL_VERSIONS, clients: None }
    }
}

/// TLS on a free port of loopback before a server that speaks none. It ends when it is dropped.
pub struct Front {
    pub address: SocketAddr,
    _runtime: Runtime,
}

impl Front {
    pub fn before(server: SocketAddr, pair: &Pair, manners: &Manners) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config(pair, manners)));
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let (Ok(mut client), Ok(mut server)) =
                        (acceptor.accept(client).await, TcpStream::connect(server).await)
                    else {
                        return;
                    };
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { address, _runtime: runtime }
    }
}

fn config(pair: &Pair, manners: &Manners) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(manners.versions).unwrap();
    let builder = match manners.clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let chain = CertificateDer::pem_slice_iter(pair.chain.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = manners.protocols.iter().map(|name| name.to_vec()).collect();
    config
}
