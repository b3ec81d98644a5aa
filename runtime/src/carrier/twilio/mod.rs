//! Twilio: what its webhooks look like on the wire.
//!
//! A [`Request`] is read once: the body is decoded before the signature is checked, because the signature is
//! made over the decoded parameters, and the same parameters then become the webhook.
//!
//! Which handler takes the webhook and what it is answered is decided elsewhere.

pub mod body;
pub mod delivery;
pub mod event;
pub mod params;
pub mod private;
pub mod rest;
pub mod signature;

use http::{HeaderMap, Method, header};

use self::body::Body;
use self::params::ParamsError;
use self::signature::{Keys, Mismatch, SignedRequest};
use super::DeliveryKey;
use crate::call::Entry;
use crate::call::Webhook;

/// One request that claims to come from Twilio, its body decoded. Borrows what was received.
#[derive(Debug)]
pub struct Request<'a> {
    url: &'a str,
    headers: &'a HeaderMap,
    body: Body<'a>,
}

impl<'a> Request<'a> {
    /// Decodes the body of a request for `url`, the public URL as the carrier requested it, query included.
    ///
    /// # Errors
    /// [`ParamsError::TooMany`]: counted before the signature is checked, because sorting costs more than reading.
    pub fn read(
        method: &Method,
        url: &'a str,
        headers: &'a HeaderMap,
        body: &'a [u8],
    ) -> Result<Self, ParamsError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Self { url, headers, body: Body::read(method, content_type, body)? })
    }

    /// Checks that the holder of one of `keys` made this request. In constant time where it compares.
    ///
    /// # Errors
    /// [`Mismatch`]: what was tried and which part failed. For the log and for people; the sender learns nothing of it.
    pub fn verify(&self, keys: &Keys) -> Result<(), Mismatch> {
        signature::verify(keys, &SignedRequest { url: self.url, headers: self.headers, body: &self.body })
    }

    /// The request in the words of [`crate::call`]. Verify it first.
    ///
    /// # Errors
    /// [`ParamsError`]: what is missing or unreadable, and what was found instead.
    pub fn webhook(&self, entry: Entry, step: &str) -> Result<Webhook, ParamsError> {
        params::read(entry, step, signature::query_of(self.url), &self.body)
    }

    /// The numbers that this request may be for, the likelier one first. Not verified: whose keys it is checked with
    /// depends on it.
    #[must_use]
    pub fn numbers(&self) -> Vec<String> {
        params::numbers(signature::query_of(self.url), &self.body)
    }

    /// What a repeated delivery of this webhook would be recognised by; `None` where nothing tells it.
    #[must_use]
    pub fn delivery(&self, webhook: &Webhook) -> Option<DeliveryKey> {
        delivery::key(webhook, self.headers)
    }
}
