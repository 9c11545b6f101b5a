//! Counts what clients ask of each service, so that a test can say how much a sync costs.

use std::collections::BTreeMap;

use serde::Serialize;

#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Meter {
    services: BTreeMap<&'static str, Usage>,
}

#[derive(Debug, Default, Serialize)]
pub struct Usage {
    pub total: u64,
    /// By `METHOD /route`, the service's own prefix left out.
    pub routes: BTreeMap<String, u64>,
    /// What was asked inside of batches, by the same names; `total` and `routes` know the batch alone.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub batched: BTreeMap<String, u64>,
    /// Bodies, as sent by clients.
    pub bytes_in: u64,
    /// Bodies, as sent to clients.
    pub bytes_out: u64,
    /// The most requests that were open at one time.
    pub peak: u64,
    #[serde(skip)]
    open: u64,
}

impl Meter {
    pub fn begin(&mut self, service: &'static str, route: &str, bytes_in: usize) {
        let usage = self.services.entry(service).or_default();
        usage.total += 1;
        *usage.routes.entry(route.to_owned()).or_default() += 1;
        usage.bytes_in += bytes_in as u64;
        usage.open += 1;
        usage.peak = usage.peak.max(usage.open);
    }

    pub fn batched(&mut self, service: &'static str, route: &str) {
        let usage = self.services.entry(service).or_default();
        *usage.batched.entry(route.to_owned()).or_default() += 1;
    }

    pub fn sent(&mut self, service: &'static str, bytes_out: usize) {
        if let Some(usage) = self.services.get_mut(service) {
            usage.bytes_out += bytes_out as u64;
        }
    }

    pub fn end(&mut self, service: &'static str) {
        if let Some(usage) = self.services.get_mut(service) {
            usage.open = usage.open.saturating_sub(1);
        }
    }

    /// Starts counting anew; requests that are open stay counted as open.
    pub fn reset(&mut self) {
        for usage in self.services.values_mut() {
            *usage = Usage { open: usage.open, peak: usage.open, ..Usage::default() };
        }
        self.services.retain(|_, usage| usage.open > 0);
    }
}
