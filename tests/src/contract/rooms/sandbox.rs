//! A sandbox started for one test, over sockets, with what a test needs of it: its endpoints, its controls, and a browser
//! that consents to everything.

use std::collections::{BTreeMap, BTreeSet};

use connectors::http::{Base, Counters, Http, Timeouts};
use connectors::oauth::{self, Granted};
use jiff::Timestamp;
use sandbox::{Options, Running};
use serde_json::{Value, json};

pub struct Sandbox {
    pub running: Running,
    pub http: Http,
    settings: BTreeMap<String, String>,
    browser: reqwest::Client,
}

impl Sandbox {
    /// With as little life in it as there can be, at the given moment.
    ///
    /// # Panics
    /// When it does not start: there is no test then.
    pub async fn start(now: Timestamp) -> Self {
        let options = Options { bookings: 0, events: 0, now: Some(now), ..Options::default() };
        Self::with(options, Timeouts::default()).await
    }

    /// # Panics
    /// As [`Sandbox::start`].
    pub async fn with(options: Options, timeouts: Timeouts) -> Self {
        // First: it brings the cryptography that any HTTP client here needs to be built.
        let http = Http::new(Counters::default(), timeouts).expect("a stack");
        let running = sandbox::serve(options).await.expect("a sandbox");
        let lines = running.settings.lines().filter_map(|line| line.split_once(" = "));
        let settings =
            lines.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect();
        let browser = reqwest::Client::builder().no_proxy().build().expect("a browser");
        Self { running, http, settings, browser }
    }

    /// A setting that the sandbox leaves for a profile.
    ///
    /// # Panics
    /// When there is none of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map(String::as_str).expect("a setting")
    }

    /// # Panics
    /// As [`Sandbox::setting`].
    #[must_use]
    pub fn base(&self, name: &str) -> Base {
        Base::new(self.setting(name).parse().expect("an address")).expect("a base")
    }

    /// Signs in as she would in her browser.
    ///
    /// # Panics
    /// When it fails.
    pub async fn consent(&self, client: &oauth::Client) -> Granted {
        let pending = client.begin().await.expect("a sign-in");
        let page = self.browser.get(pending.url().clone()).send();
        let (granted, page) = tokio::join!(pending.wait(), page);
        assert!(page.expect("a page").status().is_success());
        granted.expect("a consent")
    }

    /// # Panics
    /// When the sandbox refuses.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.running.base_url);
        let answer = self.browser.post(url).json(&body).send().await.expect("an answer");
        let status = answer.status();
        let told = answer.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path} {body}: {told}");
        told
    }

    pub async fn edit(&self, who: &str, action: &str, mut order: Value) -> Value {
        (order["as"], order["do"]) = (json!(who), json!(action));
        self.control("edit", order).await
    }

    /// # Panics
    /// When the sandbox does not tell.
    pub async fn look(&self, path: &str) -> Value {
        self.get(&format!("{}/_sandbox/{path}", self.running.base_url), &[]).await
    }

    /// # Panics
    /// When there is no answer, or it is none.
    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Value {
        let mut request = self.browser.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    pub async fn fault(&self, fault: Value) {
        self.control("faults", fault).await;
    }

    /// How many requests met a fault that was ordered.
    pub async fn met(&self) -> u64 {
        let told = self.look("faults").await;
        told["faults"].as_array().into_iter().flatten().filter_map(|fault| fault["hits"].as_u64()).sum()
    }

    /// The routes of a service that were taken so far, in batches too.
    pub async fn routes(&self, service: &str) -> BTreeSet<String> {
        let told = self.look("requests").await;
        let lists = ["routes", "batched"].map(|name| told[service][name].as_object());
        lists.into_iter().flatten().flatten().map(|(route, _)| route.clone()).collect()
    }

    /// From here on nothing goes wrong.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn heal(&self) {
        let url = format!("{}/_sandbox/faults", self.running.base_url);
        assert!(self.browser.delete(url).send().await.expect("an answer").status().is_success());
    }

    /// Counts requests from here on.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn count_anew(&self) {
        let url = format!("{}/_sandbox/requests", self.running.base_url);
        assert!(self.browser.delete(url).send().await.expect("an answer").status().is_success());
    }
}
