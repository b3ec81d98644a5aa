//! Under load: swaps that nobody hears, and compiles that nobody feels.

use std::time::{Duration, Instant};

use super::{front_desk, greeting, variation};
use crate::support::{Callers, Client, Served, alone_on_host_runtime, percentile, scale, wait_for};

#[test]
fn a_thousand_swaps_under_load_and_no_call_notices() {
    alone_on_host_runtime(async {
        let (folder, swaps) = (tempfile::tempdir().unwrap(), scale(40, 1_000));
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        for (number, words) in ["One.", "Two."].iter().enumerate() {
            let path = greeting(folder.path(), &variation(front_desk(), &number.to_string()), words);
            host.json(&["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
        }
        let callers = Callers::start(host.webhooks, "acme/front-desk", 8, 20);
        wait_for("the first calls", 10, || (callers.answered() > 200).then_some(()));
        let api = Api::new(&host);
        let mut accepted_ms = Vec::new();
        for swap in 0..swaps {
            let to = 1 + (swap % 2) as u32;
            let began = Instant::now();
            api.post("front-desk/rollback", &format!("{{\"to\": {to}}}")).await;
            accepted_ms.push(u32::try_from(began.elapsed().as_millis()).unwrap());
            // Whoever calls from now on is answered by it: the promise ends with the answer to the command.
            let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
            assert_eq!(heard.revision(), to.to_string(), "the first call after swap {swap}");
        }
        let tally = callers.stop().await;
        println!(
            "{swaps} swaps: {} webhooks of {} calls, p50 {} us, p99 {} us, first webhooks p99 {} us; accepted within p50 {} ms, p99 {} ms",
            tally.webhooks,
            tally.calls,
            tally.percentile_us(50.0),
            tally.percentile_us(99.0),
            percentile(&tally.first_us, 99.0),
            percentile(&accepted_ms, 50.0),
            percentile(&accepted_ms, 99.0),
        );
        tally.assert_clean();
    });
}

#[test]
fn deploys_of_changed_code_under_load_fail_no_webhook() {
    alone_on_host_runtime(async {
        let (folder, deploys) = (tempfile::tempdir().unwrap(), scale(8, 1_000));
        let host = Served::start(&folder.path().join("data"));
        host.tenant("acme");
        let deploy = |number: usize| {
            let code = variation(front_desk(), &format!("deploy {number}"));
            let path = greeting(folder.path(), &code, "Welcome.");
            let args = ["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary", "--json"];
            host.command(&args)
        };
        assert!(deploy(0).output().unwrap().status.success());
        let callers = Callers::start(host.webhooks, "acme/front-desk", 4, 20);
        let mut took_ms = Vec::new();
        for number in 1..=deploys {
            let mut command = deploy(number);
            let began = Instant::now();
            let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
            took_ms.push(u32::try_from(began.elapsed().as_millis()).unwrap());
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let tally = callers.stop().await;
        println!(
            "{deploys} deploys: {} webhooks, p99 {} us; a deploy from command to live p50 {} ms, p99 {} ms",
            tally.webhooks,
            tally.percentile_us(99.0),
            percentile(&took_ms, 50.0),
            percentile(&took_ms, 99.0),
        );
        tally.assert_clean();
    });
}

/// The control API of one host, for what is too quick to start a command for.
struct Api {
    url: String,
    token: String,
}

impl Api {
    fn new(host: &Served) -> Self {
        let token = std::fs::read_to_string(host.data.join("operator-token")).unwrap();
        Self { url: host.control.to_string(), token: token.trim().to_owned() }
    }

    async fn post(&self, path: &str, json: &str) {
        use http_body_util::{BodyExt as _, Full};
        let stream = tokio::net::TcpStream::connect(&self.url).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::post(format!("/api/v1/tenants/acme/handlers/{path}"))
            .header("host", &self.url)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(bytes::Bytes::from(json.to_owned())))
            .unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(20), sender.send_request(request)).await;
        let answer = answer.expect("within 20 s").unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        connection.abort();
    }
}
