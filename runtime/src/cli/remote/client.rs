//! Asks a host: bounded in time, patient where that is safe, and clear about who answered.
//!
//! A connection that was not made did nothing, so any request is tried again for some seconds. One that may have
//! arrived, or that the host could not take just now, is tried again only where a second time changes nothing.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::RemoteError;
use super::access::Access;
use super::network::{content_type, innermost, is_about_tls, jitter, may_pass, retry_after};
use super::output::{Console, counted, printable};
use crate::call::TenantId;
use crate::control::model::{Problem, TenantView, TokenScope, TokenView};

/// How long one connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take where the host only looks something up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether a request may be sent a second time although the first may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second time changes nothing.
    Safe,
    /// A second time would be another change.
    Unsafe,
}

/// A host, as a command sees it.
pub struct Client<'a> {
    http: reqwest::Client,
    access: Access,
    console: &'a Console,
    patience: Duration,
}

impl<'a> Client<'a> {
    /// Makes ready to ask, for at most `patience` each time, and says which host and token were found where the command line does not.
    ///
    /// # Errors
    /// For a token that can't be sent, and where this machine has no certificates to trust.
    pub fn new(access: Access, console: &'a Console, patience: Duration) -> Result<Self, RemoteError> {
        // Another part of the process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("hookswitch/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            // A control port answers for itself; a token is not carried to wherever a redirect leads.
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers(&access)?);
        if access.is_loopback() {
            builder = builder.no_proxy();
        }
        if access.control.scheme() == "http" {
            // Otherwise a machine without certificates could not even speak plain HTTP.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            RemoteError::Local(format!("no secure connection can be made: {}", innermost(&error)))
        })?;
        introduce(&access, console);
        Ok(Self { http, access, console, patience })
    }

    /// Where it talks to, for people.
    pub fn url(&self) -> &str {
        self.access.control.as_str().trim_end_matches('/')
    }

    /// Reads something.
    ///
    /// # Errors
    /// [`RemoteError`], as everything here.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Safe, || Ok(self.quick(Method::GET, path))).await?;
        self.read(response).await
    }

    /// As [`get`](Self::get), with a query.
    ///
    /// # Errors
    /// As there.
    pub async fn get_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Safe, || Ok(self.quick(Method::GET, path).query(query))).await?;
        self.read(response).await
    }

    /// Sends JSON, reads JSON.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Safe, || Ok(self.quick(Method::PUT, path).json(body))).await?;
        self.read(response).await
    }

    /// Sends JSON, reads JSON.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Safe, || Ok(self.quick(Method::PATCH, path).json(body))).await?;
        self.read(response).await
    }

    /// Makes something new.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Unsafe, || Ok(self.quick(Method::POST, path).json(body))).await?;
        self.read(response).await
    }

    /// Changes a release: waits for as long as the host compiles, which has its own limit.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn release<T: DeserializeOwned>(
        &self,
        repeat: Repeat,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let request = || Ok(self.request(Method::POST, path).json(body));
        let response = self.send(repeat, request).await?;
        self.read(response).await
    }

    /// Removes something.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(&self, path: &[&str]) -> Result<(), RemoteError> {
        self.send(Repeat::Safe, || Ok(self.quick(Method::DELETE, path))).await.map(drop)
    }

    /// As [`delete`](Self::delete), of what a query names; gives what came of it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, RemoteError> {
        let response = self.send(Repeat::Safe, || Ok(self.quick(Method::DELETE, path).query(query))).await?;
        self.read(response).await
    }

    /// What the token allows, for whom.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn who(&self) -> Result<TokenView, RemoteError> {
        self.get(&["token"]).await
    }

    /// Whose handlers the command is about: what was said, the token's, or the only tenant there is.
    ///
    /// # Errors
    /// [`RemoteError::Usage`] where there are none or several, with what to do.
    pub async fn tenant(&self) -> Result<TenantId, RemoteError> {
        if let Some(tenant) = &self.access.tenant {
            return Ok(tenant.clone());
        }
        self.tenant_of(&self.who().await?).await
    }

    /// As [`tenant`](Self::tenant), where it is known who we are.
    ///
    /// # Errors
    /// As there.
    pub async fn tenant_of(&self, who: &TokenView) -> Result<TenantId, RemoteError> {
        if let Some(tenant) = &self.access.tenant {
            return Ok(tenant.clone());
        }
        let id = match (&who.tenant, who.scope) {
            (Some(tenant), _) => tenant.clone(),
            (None, TokenScope::Operator) => {
                let tenants: Vec<TenantView> = self.get(&["tenants"]).await?;
                match &*tenants {
                    [only] => {
                        self.console.note(format_args!("tenant {}, the only one", printable(&only.id)));
                        only.id.clone()
                    }
                    [] => {
                        return Err(RemoteError::Usage(format!(
                            "{} has no tenant yet; make one: hookswitch tenant create NAME --twilio-auth-token-file FILE",
                            self.url()
                        )));
                    }
                    several => {
                        let shown: Vec<&str> = several.iter().take(5).map(|tenant| &*tenant.id).collect();
                        return Err(RemoteError::Usage(format!(
                            "which tenant? There are {}: {}{}. Add --tenant NAME, set HOOKSWITCH_TENANT, or save one: \
                             hookswitch context add NAME --control {} --tenant NAME",
                            counted(several.len() as u64, "tenant"),
                            printable(&shown.join(", ")),
                            if several.len() > shown.len() { ", …" } else { "" },
                            self.url(),
                        )));
                    }
                }
            }
            (None, TokenScope::Deploy | TokenScope::Read) => {
                return Err(RemoteError::Usage("the token names no tenant; add --tenant NAME".to_owned()));
            }
        };
        TenantId::new(&id).map_err(|error| RemoteError::NotControl(format!("{} said: {error}", self.url())))
    }

    /// Sends a request, made anew by `request` for each try, and gives the answer if it is a good one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn send(
        &self,
        repeat: Repeat,
        request: impl Fn() -> Result<RequestBuilder, RemoteError>,
    ) -> Result<Response, RemoteError> {
        let mut spent = Duration::ZERO;
        let mut pause = Duration::from_millis(100);
        let mut noted = false;
        loop {
            let began = Instant::now();
            let (why, wait, give_up) = match request()?.send().await {
                Ok(response)
                    if response.status() == StatusCode::SERVICE_UNAVAILABLE && repeat == Repeat::Safe =>
                {
                    ("it can't take this just now".to_owned(), retry_after(&response), Ok(response))
                }
                Ok(response) => return self.check(response).await,
                Err(error) if may_pass(&error, repeat) => {
                    // A host that takes its time to say "later" is at work, and that is no reason to give up on it.
                    spent += began.elapsed();
                    (innermost(&error), Duration::ZERO, Err(error))
                }
                Err(error) => return Err(self.unreachable(&error)),
            };
            let wait = wait.max(pause.mul_f64(jitter()));
            spent += wait;
            if spent > self.patience {
                return match give_up {
                    Ok(response) => self.check(response).await,
                    Err(error) => Err(self.unreachable(&error)),
                };
            }
            if !std::mem::replace(&mut noted, true) {
                let seconds = self.patience.as_secs();
                self.console.note(format_args!("{}: {why}; trying for {seconds} s", self.url()));
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// A request that may take long, such as an upload.
    pub fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url: Url = self.access.control.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        self.http.request(method, url)
    }

    /// A request that is answered at once.
    fn quick(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request(method, path).timeout(ANSWER_TIMEOUT)
    }

    /// Makes sure that a good answer is of this type, given in lower case.
    ///
    /// # Errors
    /// [`RemoteError::NotControl`] for anything else.
    pub fn expect(&self, response: Response, kind: &str) -> Result<Response, RemoteError> {
        let found = content_type(&response);
        if found == kind { Ok(response) } else { Err(self.not_control(response.status(), &found)) }
    }

    /// Reads the JSON of a good answer.
    ///
    /// # Errors
    /// [`RemoteError::NotControl`] for anything else.
    pub async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, RemoteError> {
        let response = self.expect(response, "application/json")?;
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            RemoteError::NotControl(format!(
                "{} answered something that this version ({}) does not understand: {error}; is the host older or newer?",
                self.url(),
                env!("CARGO_PKG_VERSION")
            ))
        })
    }

    async fn check(&self, response: Response) -> Result<Response, RemoteError> {
        let (status, kind) = (response.status(), content_type(&response));
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let to =
                response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
            return Err(RemoteError::NotControl(format!(
                "{} redirects to {}; give the host's own URL with --control",
                self.url(),
                printable(to)
            )));
        }
        if kind != "application/problem+json" {
            return Err(self.not_control(status, &kind));
        }
        let bytes = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => {
                Err(RemoteError::Refused { hint: self.token_hint(status), problem: Box::new(problem) })
            }
            Err(_) => Err(self.not_control(status, &kind)),
        }
    }

    /// Which token was used, where that is what was wrong.
    fn token_hint(&self, status: StatusCode) -> Option<String> {
        let what = match status {
            StatusCode::UNAUTHORIZED => "was not accepted",
            StatusCode::FORBIDDEN => "does not allow this",
            _ => return None,
        };
        Some(match &self.access.token {
            Some(token) => format!("The token of {} {what}.", token.source),
            None => format!(
                "No token was sent. Give one with --token-file FILE or HOOKSWITCH_TOKEN, or save it: \
                 hookswitch context add NAME --control {} --token-file FILE\n\
                 The operator's lies in the host's data folder: {}",
                self.url(),
                "hookswitch-data/operator-token"
            ),
        })
    }

    fn not_control(&self, status: StatusCode, kind: &str) -> RemoteError {
        RemoteError::NotControl(format!(
            "{} ({}) is no hookswitch control port: it answered {status}, {}. \
             The control port is the one that `hookswitch serve` names second, 8081 unless told otherwise",
            self.url(),
            self.access.control_source,
            if kind.is_empty() { "without a type".to_owned() } else { printable(kind) }
        ))
    }

    /// Says what was tried and what to try.
    pub fn unreachable(&self, error: &reqwest::Error) -> RemoteError {
        let cause = match error {
            error if error.is_timeout() => "no answer in time".to_owned(),
            error => innermost(error),
        };
        let hint = if is_about_tls(error) {
            "The certificate or the TLS version is at fault; a plain control port is http://".to_owned()
        } else if self.access.is_loopback() {
            format!(
                "Start a host with `hookswitch serve`, or say where one is: --control URL, HOOKSWITCH_CONTROL or \
                 `hookswitch context add` (this URL: {})",
                self.access.control_source
            )
        } else {
            format!("Is the URL right ({}), and can this machine reach it?", self.access.control_source)
        };
        RemoteError::Unreachable { url: self.url().to_owned(), cause, hint }
    }
}

fn headers(access: &Access) -> Result<HeaderMap, RemoteError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &access.token {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose()));
        let mut value = value.map_err(|_| {
            RemoteError::Usage(format!("the token of {} holds characters that no token has", token.source))
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// Says what was found elsewhere than on the command line, and what is unwise about it.
fn introduce(access: &Access, console: &Console) {
    let token_by_flag = access.token.as_ref().is_some_and(|token| token.source.starts_with("--"));
    if !(access.chosen_by_flag && (token_by_flag || access.token.is_none())) {
        let url = access.control.as_str().trim_end_matches('/');
        let with = match &access.token {
            Some(token) if token.source == access.control_source => String::new(),
            Some(token) => format!(", token of {}", token.source),
            None => String::new(),
        };
        console.note(format_args!("host {url} ({}){with}", access.control_source));
    }
    if access.control.scheme() == "http" && !access.is_loopback() && access.token.is_some() {
        console.note("warning: the token goes over the network in the clear; use https:// or a tunnel");
    }
}
