//! What is checked here is named by its promise; addresses and lists are tables, the rest meets a real server.

mod addresses;
mod lists;
mod retries;
mod sending;
mod tls;
#[path = "../../../../tests/e2e/support/upstream.rs"]
#[allow(dead_code, reason = "the end-to-end tests, whose file it is, use more of it")]
mod upstream;
mod world;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::OwnedSemaphorePermit;

use super::resolve::Resolving;
use super::{AllowList, Client, Error, Invocation, Patience, Received, Resolve};
use crate::call::TenantId;

/// Names of a test, each with what it leads to at each look-up; the last answer stays.
#[derive(Default)]
struct Names(Mutex<Vec<Named>>);

/// A name, and what it resolves to the first time, the second…
type Named = (&'static str, Vec<Vec<IpAddr>>);

impl Names {
    fn of(names: &[(&'static str, &[&[&str]])]) -> Arc<Self> {
        let read = |answers: &[&[&str]]| {
            answers.iter().map(|all| all.iter().map(|one| one.parse().unwrap()).collect()).collect()
        };
        Arc::new(Self(Mutex::new(names.iter().map(|(name, answers)| (*name, read(answers))).collect())))
    }
}

impl Resolve for Names {
    fn resolve(&self, host: String, _places: [OwnedSemaphorePermit; 2]) -> Resolving {
        let mut names = self.0.lock().unwrap();
        let answers = names.iter_mut().find(|(name, _)| *name == host).map(|(_, answers)| answers);
        let answer = match answers {
            None => Err(std::io::Error::other("no such name")),
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers[0].clone()),
        };
        Box::pin(async move { answer })
    }
}

/// A client that may connect to these private addresses.
fn client(names: &Arc<Names>, exceptions: &[&str]) -> Client {
    let exceptions = exceptions.iter().map(|text| text.parse().unwrap()).collect();
    Client::with(exceptions, Arc::clone(names) as Arc<dyn Resolve>, rustls::RootCertStore::empty())
}

/// One invocation of a tenant, and what its log says.
struct Run {
    invocation: Invocation,
    log: Arc<Mutex<Vec<String>>>,
}

impl Run {
    fn new(client: &Client, tenant: &str, allow: &[&str], deadline: Duration) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let note = move |_: bool, line: &str| kept.lock().unwrap().push(line.to_owned());
        let allow: Vec<String> = allow.iter().map(|&entry| entry.to_owned()).collect();
        let tenant = TenantId::new(tenant).unwrap();
        let until = Instant::now() + deadline;
        let invocation =
            Invocation::new(Some(client), &tenant, AllowList::of_checked(&allow), until, Arc::new(note));
        Self { invocation, log }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Received>, Error> {
        self.invocation.clone().send(request, Patience::default()).await
    }

    /// Status and body of a GET.
    async fn get(&self, url: &str) -> Result<(u16, String), Error> {
        read(self.send(Request::get(url).body(Full::default()).unwrap()).await?).await
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn read(response: Response<Received>) -> Result<(u16, String), Error> {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// Long enough for everything that is not about time.
const LONG: Duration = Duration::from_secs(20);
