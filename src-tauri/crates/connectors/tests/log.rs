//! What the HTTP stack writes into the log. Alone in its process, because a log belongs to one.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use connectors::http::{Base, Counters, Http, Method, Peer, Request, Timeouts};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn the_log_names_the_route_and_none_of_the_secrets() {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Write::write(&mut *self.0.lock().unwrap(), bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"s3cret\":1}";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let at = Base::new(url.parse().unwrap()).unwrap().at(&["things", "s3cret-id"]);
    let request = Request::new(Peer::Google, Method::POST, "/things/{id}", at)
        .query("q", "s3cret-query")
        .bearer(&"s3cret-token".into())
        .json(&json!({"body": "s3cret-body"}));
    let http = Http::new(Counters::default(), Timeouts::default()).unwrap();
    assert_eq!(format!("{request:?}"), "google POST /things/{id}");
    http.send(request).await.unwrap();
    let gone = Request::new(
        Peer::Google,
        Method::GET,
        "/gone",
        "http://127.0.0.1:1/s3cret?s3cret=1".parse().unwrap(),
    );
    http.send(gone).await.err().unwrap();
    answering.await.unwrap();
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for said in ["service=\"google\"", "route=\"/things/{id}\"", "status=200", "bytes=12"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains("/gone"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}
