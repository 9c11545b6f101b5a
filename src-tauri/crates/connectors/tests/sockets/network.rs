//! A network of an organisation's own: its authority, its proxy.

use std::sync::Arc;

use connectors::http::{Counters, Http, Method, Network, NetworkError, Peer, Request, Timeouts};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use sync::error::ServiceError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use url::Url;

use crate::server::{Reply, Server};

/// A server behind TLS, and the certificate (PEM) of the authority that vouches for it, which no system knows.
async fn vouched_for() -> (Url, String) {
    // It chooses the cryptography for the whole process.
    Http::new(Counters::default(), Timeouts::default()).unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await.ok()?;
                stream.read(&mut [0; 4096]).await.ok().filter(|&read| read > 0)?;
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.ok()?;
                stream.shutdown().await.ok()
            });
        }
    });
    (url.parse().unwrap(), root.pem())
}

fn stack(network: &Network) -> Http {
    Http::through(network, Counters::default(), Timeouts::default()).unwrap()
}

#[tokio::test]
async fn an_authority_of_her_own_is_trusted_when_she_names_it_and_not_before() {
    let (url, pem) = vouched_for().await;
    let request = || Request::new(Peer::Google, Method::GET, "/", url.clone());
    let refused = stack(&Network::default()).send(request()).await.err().unwrap();
    assert!(matches!(refused, ServiceError::Unreachable { .. }), "{refused}");
    let trusting = Network::default().trusting(pem.as_bytes()).unwrap();
    let answer = stack(&trusting).send(request()).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);

    let (_, other) = vouched_for().await;
    let wrong = Network::default().trusting(other.as_bytes()).unwrap();
    assert!(stack(&wrong).send(request()).await.is_err(), "each authority vouches for its own");
    assert!(matches!(Network::default().trusting(b"no certificate"), Err(NetworkError::NoCertificate)));
}

#[tokio::test]
async fn her_proxy_is_asked_for_what_is_abroad_and_not_for_this_computer() {
    let proxy = Server::start(|_, _| Reply::Json(200, json!({"from": "proxy"}))).await;
    let home = Server::start(|_, _| Reply::Json(200, json!({"from": "home"}))).await;
    let http = stack(&Network::default().behind(&proxy.url).unwrap());
    let ask = async |url: &str| {
        let request = Request::new(Peer::Google, Method::GET, "/", url.parse().unwrap());
        http.send(request).await.unwrap().json::<serde_json::Value>().unwrap()["from"].clone()
    };
    assert_eq!(ask("http://calendars.example/").await, "proxy");
    assert_eq!(ask(home.url.as_str()).await, "home");
    assert_eq!((proxy.asked().len(), home.asked().len()), (1, 1));
}
