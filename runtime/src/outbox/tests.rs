//! The loop that sends, against a carrier that answers when the test lets it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex as Lock, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::capability::Reach;
use crate::carrier::account::Allowance;
use crate::carrier::operation::Rate;
use crate::carrier::operation::tests::message;
use crate::carrier::twilio::signature::Keys;
use crate::config::{Config, Secret};
use crate::pin::PinKey;
use crate::router::{Snapshot, Tenant};

/// A carrier that takes whatever it is sent and answers once its gate is open.
struct Slow {
    address: SocketAddr,
    gate: watch::Sender<bool>,
    /// The account of each message that it was sent.
    made: Arc<Lock<Vec<String>>>,
}

impl Slow {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, gate) = (listener.local_addr().unwrap(), watch::Sender::new(false));
        let (made, open) = (Arc::new(Lock::default()), gate.subscribe());
        let all = Arc::clone(&made);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&all), open.clone()));
            }
        });
        Self { address, gate, made }
    }

    fn made(&self) -> Vec<String> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(stream: TcpStream, made: Arc<Lock<Vec<String>>>, mut gate: watch::Receiver<bool>) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if let Some(found) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = found.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    let (status, body) = if first.starts_with("GET ") {
        ("200 OK", "{\"messages\":[]}".to_owned())
    } else {
        let account = first.split('/').nth(3).unwrap().to_owned();
        let n = {
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            made.push(account);
            made.len()
        };
        gate.wait_for(|open| *open).await.unwrap();
        ("201 Created", format!("{{\"sid\":\"SM{n:032x}\"}}"))
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}

/// An outbox whose tenants have accounts at a slow carrier.
struct Desk {
    folder: tempfile::TempDir,
    carrier: Slow,
    outbox: Arc<Outbox>,
    host: Arc<Host>,
}

fn id(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

impl Desk {
    async fn of(tenants: &[&str]) -> Self {
        let (folder, carrier) = (tempfile::tempdir().unwrap(), Slow::start().await);
        let outbox = Outbox::open(folder.path(), Some(&format!("http://{}", carrier.address))).unwrap();
        let pin_key = PinKey::random().unwrap();
        let host = Host::reaching(&Config::default(), pin_key, None, Reach::default()).unwrap();
        outbox.serve(&host, Box::new(|_| async { Ok(()) }.boxed()));
        let desk = Self { folder, carrier, outbox, host };
        desk.publish(tenants, &["+12025550199"]);
        desk
    }

    /// Puts these tenants in force, who may speak with `numbers`.
    fn publish(&self, tenants: &[&str], numbers: &[&str]) {
        let tenants = tenants.iter().map(|name| {
            let keys = Keys { tokens: Vec::new(), shared: Vec::new() };
            let mut tenant = Tenant::new(id(name), keys, None, 8);
            let login = ("SK1".to_owned(), Secret::new("secret".to_owned()));
            let caller_ids = numbers.iter().map(|&number| number.to_owned()).collect();
            let allowance = Allowance { messages_per_minute: 60_000, caller_ids, ..Allowance::default() };
            let sid = format!("AC-{name}");
            tenant.account = Some(Arc::new(Account { sid, login, api_key: None, allowance }));
            tenant
        });
        self.host.router.publish(Snapshot::new(tenants));
    }

    async fn put(&self, n: u8, tenant: &str, due_at: u64) {
        let (tenant, handler) = (id(tenant), HandlerName::new("desk").unwrap());
        let send = Operation::Send(message());
        let key = EffectKey([n; 32]);
        let put = self.outbox.ledger.put(key, (&tenant, &handler), &send, due_at, (1, 1_000)).await;
        assert!(matches!(put, Ok(Put::There(_))), "{put:?}");
    }

    async fn entries(&self, tenant: &str) -> Vec<Entry> {
        let listed = Listed { most: 1_000, ..Listed::default() };
        self.outbox.list(&id(tenant), listed).await.unwrap().unwrap()
    }

    /// How many entries of a tenant are in a state.
    async fn count(&self, tenant: &str, state: &str) -> usize {
        self.entries(tenant).await.iter().filter(|entry| entry.state == state).count()
    }

    fn drain(&self) -> JoinHandle<()> {
        tokio::spawn(Arc::clone(&self.outbox).drain())
    }

    fn file(&self) -> rusqlite::Connection {
        open(self.folder.path())
    }
}

fn open(folder: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.join(FILE_NAME)).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
}

async fn wait_for(what: &str, mut found: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !found().await {
        assert!(began.elapsed() < Duration::from_secs(40), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_loop_that_is_stopped_and_begun_again_sends_everything_once() {
    let desk = Desk::of(&["acme"]).await;
    desk.put(1, "acme", 1).await;
    desk.put(2, "acme", 2).await;
    // As a loop leaves it that is stopped while it waits for the disk: taken, and nobody began.
    assert_eq!(desk.outbox.ledger.take(&id("acme"), Rate::Messages, 1, 2).await.unwrap().len(), 1);
    let first = desk.drain();
    wait_for("one to be sent", async || desk.carrier.made().len() == 1).await;
    wait_for("the other to be found", async || desk.count("acme", "waiting").await == 1).await;
    // A handover that fails: the loop is stopped and begins again, what was being sent goes on.
    first.abort();
    let _stopped = first.await;
    let _again = desk.drain();
    let found = desk.entries("acme").await.into_iter().find(|entry| entry.state == "waiting").unwrap();
    assert_eq!((&*found.note, found.attempts), ("sending it was cut off", 1));
    desk.file().execute("UPDATE effect SET due_at = 0 WHERE state = 'waiting'", []).unwrap();
    desk.outbox.changed.notify_one();
    wait_for("the other to be sent", async || desk.carrier.made().len() == 2).await;
    assert_eq!(desk.count("acme", "sending").await, 2);
    desk.carrier.gate.send_replace(true);
    wait_for("both to be done", async || desk.count("acme", "done").await == 2).await;
    assert_eq!(desk.carrier.made().len(), 2, "each once");
}

#[tokio::test]
async fn what_came_of_a_try_is_kept_as_soon_as_it_can_be() {
    let desk = Desk::of(&["acme"]).await;
    desk.put(1, "acme", 1).await;
    let _loop = desk.drain();
    wait_for("it to be sent", async || desk.carrier.made().len() == 1).await;
    let other = desk.file();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    desk.carrier.gate.send_replace(true);
    // Longer than anybody waits for the file.
    tokio::time::sleep(Duration::from_secs(3)).await;
    other.execute_batch("ROLLBACK").unwrap();
    wait_for("its end to be kept", async || desk.count("acme", "done").await == 1).await;
    assert_eq!(desk.carrier.made().len(), 1);
}

#[tokio::test]
async fn a_tenant_whose_carrier_is_slow_leaves_places_for_the_others() {
    let desk = Desk::of(&["acme", "other"]).await;
    for n in 0..30 {
        desk.put(n, "acme", 1).await;
    }
    desk.put(100, "other", 2).await;
    let _loop = desk.drain();
    let of =
        |name: &str| desk.carrier.made().iter().filter(|account| **account == format!("AC-{name}")).count();
    wait_for("the neighbour's to be sent", async || of("other") == 1).await;
    wait_for("the tenant's share", async || of("acme") == 4).await;
    assert_eq!((desk.count("acme", "sending").await, desk.count("acme", "waiting").await), (4, 26));
    desk.carrier.gate.send_replace(true);
    wait_for("all to be done", async || desk.count("acme", "done").await == 30).await;
    assert_eq!((of("acme"), of("other")), (30, 1), "each once");
}

#[tokio::test]
async fn nothing_is_sent_from_a_number_that_was_taken_away_meanwhile() {
    let desk = Desk::of(&["acme"]).await;
    desk.carrier.gate.send_replace(true);
    desk.put(1, "acme", 1).await;
    desk.put(2, "acme", u64::MAX / 4).await;
    let _loop = desk.drain();
    wait_for("the first to be sent", async || desk.count("acme", "done").await == 1).await;
    desk.publish(&["acme"], &[]);
    desk.file().execute("UPDATE effect SET due_at = 0 WHERE state = 'waiting'", []).unwrap();
    desk.outbox.changed.notify_one();
    wait_for("the second to be given up", async || desk.count("acme", "failed").await == 1).await;
    assert_eq!(desk.carrier.made().len(), 1);
    let failed = desk.entries("acme").await.into_iter().find(|entry| entry.state == "failed").unwrap();
    assert!(failed.note.contains("+12025550199 does not belong to tenant acme"), "{}", failed.note);
}
