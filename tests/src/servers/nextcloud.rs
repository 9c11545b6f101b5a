//! The sign-in of a Nextcloud (Login Flow v2), and behind it a real Radicale where a Nextcloud keeps its calendars. What
//! else a Nextcloud is, it is not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::door::{Asked, Door, Told, client, forwarded};
use super::{Lacking, PASSWORD, Radicale, USER};

const DAV: &str = "/cloud/remote.php/dav";
const TOKEN: &str = "token-of-the-flow";

/// A Nextcloud in `/cloud` of a host, whose page signs in whoever opens it.
pub struct Nextcloud {
    /// As she would type it.
    pub url: String,
    _door: Door,
    _calendars: Radicale,
}

impl Nextcloud {
    /// # Errors
    /// When no Radicale can be had on this computer.
    pub async fn start() -> Result<Self, Lacking> {
        let calendars = Radicale::start()?;
        let (client, server) = (client(), Arc::new(calendars.url.trim_end_matches('/').to_owned()));
        let signed_in = Arc::new(AtomicBool::new(false));
        let door = Door::open(move |stream| {
            let (client, server, signed_in) = (client.clone(), server.clone(), signed_in.clone());
            async move { answered(stream, &client, &server, &signed_in).await }
        })
        .await;
        Ok(Self { url: format!("{}cloud", door.url), _door: door, _calendars: calendars })
    }
}

async fn answered(
    mut stream: TcpStream,
    client: &reqwest::Client,
    server: &str,
    signed_in: &AtomicBool,
) -> Option<()> {
    let mut asked = Asked::read(&mut stream).await?;
    let origin = format!("http://{}/cloud", asked.header("host")?);
    let told = match (asked.method.as_str(), asked.target.as_str()) {
        ("POST", "/cloud/index.php/login/v2") => json(&serde_json::json!({
            "poll": {"token": TOKEN, "endpoint": format!("{origin}/login/v2/poll")},
            "login": format!("{origin}/login/v2/flow/x"),
        })),
        ("GET", "/cloud/login/v2/flow/x") => {
            signed_in.store(true, Ordering::SeqCst);
            Told::of(200, &[("Content-Type", "text/html")], "<p>Signed in.</p>")
        }
        // The answer is given once, as a Nextcloud gives it.
        ("POST", "/cloud/login/v2/poll")
            if asked.body == format!("token={TOKEN}") && signed_in.swap(false, Ordering::SeqCst) =>
        {
            json(&serde_json::json!({"server": origin, "loginName": USER, "appPassword": PASSWORD}))
        }
        ("POST", "/cloud/login/v2/poll") => Told::of(404, &[("Content-Type", "application/json")], "[]"),
        (_, target) => match target.strip_prefix(DAV).map(str::to_owned) {
            Some(inside) => {
                asked.target = inside;
                asked.headers.push(("x-script-name".to_owned(), DAV.to_owned()));
                forwarded(client, server, &asked).await?
            }
            None => Told::of(404, &[], ""),
        },
    };
    stream.write_all(&told.bytes(false)).await.ok()
}

fn json(value: &serde_json::Value) -> Told {
    Told::of(200, &[("Content-Type", "application/json")], &value.to_string())
}
