//! What a person says about her network where the system does not: an authority of her organisation's own, a proxy.
//! Without a word from her the system's trust store and proxy stand.

use std::sync::Arc;

use reqwest::{Certificate, ClientBuilder, Proxy};
use url::Url;

use super::HttpError;

/// Said once, for every connection.
#[derive(Clone, Debug, Default)]
pub struct Network {
    authorities: Vec<Certificate>,
    proxy: Option<Proxy>,
}

/// Why it cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
    #[error(transparent)]
    Unusable(#[from] HttpError),
}

impl Network {
    /// Trusts these authorities (PEM) besides those of the system.
    ///
    /// # Errors
    /// When there is none among them, or one that is broken.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, NetworkError> {
        let authorities = Certificate::from_pem_bundle(pem).map_err(unusable)?;
        if authorities.is_empty() {
            return Err(NetworkError::NoCertificate);
        }
        self.authorities.extend(authorities);
        Ok(self)
    }

    /// Goes through this proxy instead of the system's.
    ///
    /// # Errors
    /// When it is no proxy's address.
    pub fn behind(mut self, proxy: &Url) -> Result<Self, NetworkError> {
        self.proxy = Some(Proxy::all(proxy.as_str()).map_err(unusable)?);
        Ok(self)
    }

    /// Whether she said which proxy it is.
    pub(crate) fn names_a_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// A connection that goes out: by her proxy, trusting her authorities too.
    pub fn abroad(&self, builder: ClientBuilder) -> ClientBuilder {
        let builder = self.trusted(builder);
        match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    }

    /// Her authorities alone, whichever way the connection goes.
    pub(crate) fn trusted(&self, builder: ClientBuilder) -> ClientBuilder {
        if self.authorities.is_empty() {
            return builder;
        }
        builder.tls_certs_merge(self.authorities.iter().cloned())
    }
}

fn unusable(error: reqwest::Error) -> HttpError {
    HttpError { source: Arc::new(error) }
}
