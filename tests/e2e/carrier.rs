//! What handlers do at their carrier: once, only with their own numbers, at their pace, and never in the dark.

use std::path::Path;
use std::time::{Duration, Instant};

use hookswitch::carrier::account::{Account, Allowance};
use hookswitch::carrier::operation::{
    CallChange, CallRecording, Lead, MachineDetection, NewCall, NewMessage, NumberKind, NumberSearch,
    NumberSettings, Operation, Progress, Sender, VoiceGrant,
};
use hookswitch::carrier::twilio::rest;
use serde_json::Value;

use crate::support::{Client, Heard, OWN_NUMBER, Served, Stub, Treat, on_host_runtime, outward, wait_for};

const SID: &str = "AC00000000000000000000000000000001";
const SECRET: &str = "secret-of-the-api-key";

/// A host whose tenant `acme` has an account at `stub`, a number, and the guest that acts outward.
struct Desk {
    host: Served,
    folder: tempfile::TempDir,
}

impl Desk {
    fn start(stub: &Stub) -> Self {
        Self::start_with(&format!("carrier_api_url = \"http://{}\"\n", stub.address))
    }

    fn start_with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("hookswitch.toml");
        std::fs::write(&config, settings).unwrap();
        let secret = folder.path().join("secret.txt");
        std::fs::write(&secret, SECRET).unwrap();
        let host = serve(&folder.path().join("data"), &config);
        host.tenant("acme");
        let key = format!("SK{:032x}={}", 2, secret.display());
        host.ok(&["tenant", "update", "acme", "--twilio-account-sid", SID, "--twilio-api-key", &key]);
        std::fs::write(folder.path().join("outward.wasm"), outward()).unwrap();
        let desk = Self { host, folder };
        desk.deploy_settings("");
        desk.host.ok(&["number", "add", "+12025550199", "outward", "--tenant", "acme"]);
        desk
    }

    /// Deploys the guest with more settings, in force at once.
    fn deploy_settings(&self, more: &str) {
        let settings = format!("name = \"outward\"\n[limits]\ndeadline_ms = 2000\n{more}");
        std::fs::write(self.folder.path().join("handler.toml"), settings).unwrap();
        let component = self.folder.path().join("outward.wasm");
        self.host.ok(&["deploy", component.to_str().unwrap(), "--tenant", "acme", "--no-canary"]);
    }

    /// One webhook of a call at `step`, under the delivery token `token`.
    async fn webhook(&self, step: &str, token: &str) -> String {
        webhook(&Client::new(self.host.webhooks), step, token).await.body
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("hookswitch.toml")
    }

    /// Ends the host as a crash does and starts it again.
    fn killed(self) -> Self {
        let config = self.config();
        let data = self.host.kill();
        Self { host: serve(&data, &config), folder: self.folder }
    }

    fn outbox(&self) -> Vec<Value> {
        self.host.json(&["outbox", "list", "--tenant", "acme"]).as_array().unwrap().clone()
    }
}

fn serve(data: &Path, config: &Path) -> Served {
    Served::start_with(data, &["--config", config.to_str().unwrap()])
}

async fn webhook(client: &Client, step: &str, token: &str) -> Heard {
    let params = [
        ("CallSid", "CA00000000000000000000000000000005"),
        ("AccountSid", SID),
        ("From", "+12025550123"),
        ("To", "+12025550199"),
        ("Direction", "inbound"),
        ("CallStatus", "in-progress"),
    ];
    let path = format!("/acme/outward/voice/{step}");
    client.post_with(&path, &params, &[("i-twilio-idempotency-token", token)]).await
}

fn well(n: u32) -> Treat {
    Treat::Answer(201, "", format!("{{\"sid\":\"SM{n:032x}\"}}"))
}

#[test]
fn a_webhook_that_is_delivered_again_has_one_effect_even_after_a_kill() {
    on_host_runtime(async {
        let stub = Stub::start();
        let desk = Desk::start(&stub);
        let first = desk.webhook("send-twice", "one").await;
        assert_eq!(stub.made(), 2, "{first}");
        assert!(first.contains(&format!("SM{:032x} SM{:032x}", 1, 2)), "{first}");
        let asked = stub.asked();
        assert!(
            asked[0].line.contains(&format!("/2010-04-01/Accounts/{SID}/Messages.json")),
            "{:?}",
            asked[0]
        );
        assert_eq!(asked[0].param("From"), "+12025550199");
        assert!(asked[0].head.contains("authorization: basic "), "{:?}", asked[0]);

        let desk = desk.killed();
        assert_eq!(desk.webhook("send-twice", "one").await, first, "the same words to the same delivery");
        assert_eq!(stub.made(), 2);
        // Rightly visited again: another delivery.
        desk.webhook("send-twice", "two").await;
        assert_eq!(stub.made(), 4);
        // An invocation that has acted is not made good by a second one.
        desk.webhook("send-and-trap", "three").await;
        assert_eq!(stub.made(), 5);

        let placed = desk.webhook("place", "four").await;
        let call = stub.asked().pop().unwrap();
        assert!(call.line.contains("/Calls.json") && placed.contains("SM"), "{placed}");
        let url = call.param("Url").to_owned();
        assert!(url.starts_with("http://") && url.contains("/acme/outward/voice/callback?hs=1."), "{url}");
        assert!(call.param("StatusCallback").contains("/acme/outward/status/progress?hs=1."), "{call:?}");
        assert_eq!(call.param("MachineDetection"), "DetectMessageEnd");
    });
}

#[test]
fn a_call_that_the_carrier_could_not_ask_about_is_not_placed() {
    on_host_runtime(async {
        // The carrier is out in the internet, and the host is known by an address of this machine only. Nobody listens at the
        // carrier's: a host that asked it would hear that nothing was reached.
        let desk = Desk::start_with("carrier_api_url = \"https://carrier.invalid\"\n");
        let heard = desk.webhook("place", "one").await;
        for said in
            ["unavailable: ", "the carrier can't reach http://", "tenant update acme --public-url https://"]
        {
            assert!(heard.contains(said), "{said} not in {heard}");
        }
    });
}

#[test]
fn a_number_that_a_handler_configured_follows_every_later_deploy() {
    on_host_runtime(async {
        let stub = Stub::start();
        let desk = Desk::start(&stub);
        stub.plan([Treat::Answer(200, "", OWN_NUMBER.to_owned())]);
        let heard = desk.webhook("configure", "one").await;
        assert!(heard.contains(">done<"), "{heard}");
        let change = stub.asked().pop().unwrap();
        let origin = format!("http://{}", desk.host.webhooks);
        for (param, path) in [
            ("VoiceUrl", "/acme/outward/voice"),
            ("SmsUrl", "/acme/outward/sms?lang=de"),
            ("StatusCallback", "/acme/outward/status"),
        ] {
            assert_eq!(change.param(param), format!("{origin}{path}"), "{change:?}");
        }
        let client = Client::new(desk.host.webhooks);
        let path = change.param("VoiceUrl").strip_prefix(&origin).unwrap();
        let new_call = async |n: u32| {
            let id = format!("CA{n:032x}");
            let params =
                [("CallSid", &*id), ("AccountSid", SID), ("From", "+12025550123"), ("CallStatus", "ringing")];
            client.post(path, &params).await.revision().to_owned()
        };
        assert_eq!(new_call(101).await, "1");
        desk.deploy_settings("[config]\ngreeting = \"new\"\n");
        assert_eq!(new_call(102).await, "2", "a new call is the new revision's");
        assert_eq!(new_call(101).await, "1", "a call in progress stays");
    });
}

#[test]
fn what_cannot_be_known_is_said_to_be_unknown_and_never_repeated() {
    on_host_runtime(async {
        let stub = Stub::start();
        let mut desk = Desk::start(&stub);
        for (name, treat) in [
            ("hang", Treat::Hang),
            ("reset", Treat::Reset),
            ("server fault", Treat::Answer(503, "", String::new())),
            ("half an answer", Treat::Answer(201, "", "{\"sid".to_owned())),
        ] {
            let before = stub.made();
            stub.plan([treat]);
            for round in 0..2 {
                let heard = desk.webhook("send", name).await;
                assert!(heard.contains("unknown: "), "{name}, {round}: {heard}");
            }
            desk = desk.killed();
            let heard = desk.webhook("send", name).await;
            assert!(heard.contains("unknown: "), "{name}, after a kill: {heard}");
            assert_eq!(stub.made(), before + 1, "{name}");
        }
        // Claimed and not sent: the carrier asked for a pause, and the host was killed in it.
        let before = stub.made();
        stub.plan([Treat::Answer(429, "retry-after: 1\r\n", String::new())]);
        let client = Client::new(desk.host.webhooks);
        let waiting = tokio::spawn(async move {
            let _cut = tokio::time::timeout(Duration::from_secs(5), webhook(&client, "send", "paused")).await;
        });
        wait_for("the refusal", 10, || (stub.made() > before).then_some(()));
        desk = desk.killed();
        waiting.abort();
        let heard = desk.webhook("send", "paused").await;
        assert!(heard.contains("unknown: "), "{heard}");
        assert_eq!(stub.made(), before + 1);

        // Surely not carried out, or the same however often: tried again within the deadline.
        stub.plan([Treat::Answer(429, "retry-after: 1\r\n", String::new()), well(77)]);
        let heard = desk.webhook("send", "busy").await;
        assert!(heard.contains(&format!("SM{:032x}", 77)), "{heard}");
        for step in ["end", "delete"] {
            let before = stub.asked().len();
            stub.plan([
                Treat::Answer(500, "", String::new()),
                Treat::Reset,
                Treat::Answer(200, "", "{}".into()),
            ]);
            let heard = desk.webhook(step, step).await;
            assert!(heard.contains("done"), "{step}: {heard}");
            assert_eq!(stub.asked().len(), before + 3, "{step}");
        }
        stub.plan([Treat::Answer(404, "", String::new())]);
        assert!(desk.webhook("delete", "gone").await.contains("done"));
        let no = "{\"code\":21211,\"message\":\"Invalid 'To' Phone Number\",\"status\":400}";
        stub.plan([Treat::Answer(400, "", no.into())]);
        let heard = desk.webhook("send", "no").await;
        assert!(
            heard.contains("refused: the carrier refused: Invalid") && heard.contains("code 21211"),
            "{heard}"
        );
    });
}

#[test]
fn a_tenant_speaks_only_with_its_own_numbers_at_its_pace_and_a_storm_ends_early() {
    on_host_runtime(async {
        let stub = Stub::start();
        let desk = Desk::start(&stub);
        for step in ["place-from-a-strangers-number", "send-from-a-strangers-number"] {
            let heard = desk.webhook(step, step).await;
            assert!(heard.contains("not-yours: +12025550111 does not belong"), "{heard}");
        }
        assert_eq!(stub.made(), 0);
        desk.host.ok(&["tenant", "update", "acme", "--caller-id", "+12025550111"]);
        let heard = desk.webhook("send-from-a-strangers-number", "allowed").await;
        assert!(heard.contains("SM"), "{heard}");

        desk.host.ok(&["tenant", "update", "acme", "--messages-per-minute", "60000"]);
        let before = stub.made();
        let heard = desk.webhook("storm", "storm").await;
        assert!(heard.contains("32 sent, then limited: an invocation may ask"), "{heard}");
        assert_eq!(stub.made(), before + 32);

        desk.host.ok(&["tenant", "update", "acme", "--calls-per-minute", "1"]);
        let before = stub.made();
        assert!(desk.webhook("place", "c1").await.contains("SM"));
        let heard = desk.webhook("place", "c2").await;
        assert!(heard.contains("limited: the tenant may do 1 of these a minute"), "{heard}");
        assert_eq!(stub.made(), before + 1);

        let heard = desk.webhook("token", "t").await;
        let token = heard.split("<Say>").nth(1).unwrap().split('<').next().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let bytes: Vec<u8> = base64(claims);
        let claims: Value = serde_json::from_slice(&bytes).unwrap();
        let grant = VoiceGrant {
            identity: "alice".into(),
            application: Some(format!("AP{:032x}", 3)),
            params: Vec::new(),
            incoming: true,
            ttl_s: 3_600,
        };
        let key = format!("SK{:032x}", 2);
        let at = claims["iat"].as_u64().unwrap();
        let expected =
            hookswitch::carrier::twilio::rest::token::access_token(SID, (&key, SECRET), &grant, at);
        assert_eq!(token, expected);
        assert!(!desk.host.logged().contains(SECRET));

        desk.host.ok(&["tenant", "update", "acme", "--twilio-account-sid", ""]);
        let heard = desk.webhook("send", "without").await;
        assert!(heard.contains("unavailable: this host has no account"), "{heard}");
    });
}

#[test]
fn what_is_done_later_is_done_once_is_seen_and_can_be_taken_back() {
    on_host_runtime(async {
        let stub = Stub::start();
        let mut desk = Desk::start(&stub);
        let tomorrow = desk.webhook("tomorrow", "a").await;
        let waiting = desk.outbox();
        assert_eq!(waiting.len(), 1, "{tomorrow}");
        let id = waiting[0]["id"].as_str().unwrap().to_owned();
        assert!(tomorrow.contains(&id) && waiting[0]["state"] == "waiting", "{waiting:?}");
        desk.host.ok(&["outbox", "cancel", &id, "--tenant", "acme"]);
        let shown = desk.host.json(&["outbox", "show", &id, "--tenant", "acme"]);
        assert_eq!(shown["state"], "canceled");
        assert!(!desk.host.run(&["outbox", "cancel", &id, "--tenant", "acme"]).status.success());
        desk.webhook("tomorrow", "a2").await;
        let listed = |args: &[&str]| {
            let all = desk.host.json(&[&["outbox", "list", "--tenant", "acme"], args].concat());
            all.as_array().unwrap().len()
        };
        assert_eq!(listed(&[]), 2);
        assert_eq!(listed(&["--state", "waiting", "--handler", "outward"]), 1);
        assert_eq!(listed(&["--handler", "other"]), 0);
        desk.host.ok(&["outbox", "cancel", "--handler", "outward", "--tenant", "acme"]);
        assert_eq!((listed(&["--state", "waiting"]), listed(&["--state", "canceled"])), (0, 2));
        let unknown = desk.host.run(&["outbox", "list", "--before", "nope", "--tenant", "acme"]);
        let said = String::from_utf8_lossy(&unknown.stderr);
        assert!(!unknown.status.success() && said.contains("nope"), "{said}");

        // Busy at first, then taken; the webhook that asked for it came twice.
        stub.plan([Treat::Answer(429, "", String::new()), Treat::Answer(429, "", String::new())]);
        let heard = desk.webhook("later", "b").await;
        desk = desk.killed();
        assert_eq!(desk.webhook("later", "b").await, heard);
        let done = |desk: &Desk| desk.outbox().iter().filter(|entry| entry["state"] == "done").count();
        wait_for("the message", 60, || (done(&desk) == 1).then_some(()));
        assert_eq!(stub.done(), 1);

        // Sent, and the host was killed before it heard of it: the carrier is asked, and nothing is sent again.
        stub.plan([Treat::Hang]);
        desk.webhook("later", "c").await;
        wait_for("the try", 30, || (stub.done() == 2).then_some(()));
        desk = desk.killed();
        wait_for("the carrier's list", 60, || (done(&desk) == 2).then_some(()));
        assert_eq!(stub.done(), 2);
        assert!(
            stub.asked()
                .iter()
                .any(|asked| asked.line.starts_with("GET ") && asked.line.contains("Messages.json"))
        );
    });
}

/// Against a server made of the carrier's own description, which `tests/carrier/run` starts; without one this does nothing.
#[test]
fn every_operation_is_taken_by_a_server_made_of_the_carriers_description() {
    let Ok(api) = std::env::var("HOOKSWITCH_CARRIER_API") else {
        println!(
            "nothing is checked: HOOKSWITCH_CARRIER_API names no server; `tests/carrier/run` starts one"
        );
        return;
    };
    let secret = || hookswitch::config::Secret::new(SECRET.to_owned());
    let account = Account {
        sid: SID.to_owned(),
        login: (SID.to_owned(), secret()),
        api_key: None,
        allowance: Allowance::default(),
    };
    let id = |letters: &str| format!("{letters}{:032x}", 9);
    let link = |name: &str| Some(format!("https://calls.example.com/{name}"));
    let call = NewCall {
        to: "+12025550100".into(),
        from: "+12025550199".into(),
        lead: Lead::Link("https://calls.example.com/voice".into()),
        fallback: link("fallback"),
        timeout_s: Some(20),
        time_limit_s: Some(600),
        send_digits: None,
        detect: Some(MachineDetection {
            until_greeting_ends: true,
            timeout_s: Some(30),
            told: link("machine"),
        }),
        recording: Some(CallRecording { dual: true, trim: true, told: link("recording") }),
        told: link("progress"),
        told_of: vec![Progress::Initiated, Progress::Ringing, Progress::Answered, Progress::Completed],
        reason: Some("Your order".into()),
    };
    let message = NewMessage {
        to: "+12025550100".into(),
        from: Sender::Number("+12025550199".into()),
        body: "Hello".into(),
        media: vec!["https://calls.example.com/a.png".into(), "https://calls.example.com/b.png".into()],
        told: link("delivery"),
        validity_s: Some(600),
    };
    let settings = NumberSettings {
        name: Some("desk".into()),
        voice: link("voice"),
        voice_fallback: link("fallback"),
        sms: link("sms"),
        sms_fallback: link("sms-fallback"),
        status: link("status"),
    };
    let search = NumberSearch {
        country: "US".into(),
        kind: NumberKind::Local,
        area_code: Some(510),
        contains: Some("51034*****".into()),
        locality: Some("Hilo".into()),
        region: Some("HI".into()),
        postal_code: Some("96720".into()),
        voice: true,
        sms: true,
        mms: true,
        most: 5,
    };
    // What the description's own example holds: numbers are found in a list by how they read.
    let (own, short) = ("+18089255327", "99990");
    let inline = NewCall { lead: Lead::Document("<Response/>".into()), told: None, ..call.clone() };
    let service = NewMessage { from: Sender::Service(id("MG")), media: Vec::new(), ..message.clone() };
    let operations = [
        Operation::Place(call.clone()),
        Operation::Place(inline),
        Operation::Update(id("CA"), CallChange::Link("https://calls.example.com/voice".into())),
        Operation::Update(id("CA"), CallChange::Document("<Response/>".into())),
        Operation::Update(id("CA"), CallChange::Complete),
        Operation::Update(id("CA"), CallChange::Cancel),
        Operation::Send(message.clone()),
        Operation::Send(service),
        Operation::FindRecording(id("RE")),
        Operation::DeleteRecording(id("RE")),
        Operation::FindNumber(own.into()),
        Operation::SearchNumbers(search),
        Operation::BuyNumber(own.into(), settings.clone()),
        Operation::ConfigureNumber(own.into(), settings.clone()),
        Operation::ReleaseNumber(own.into()),
        Operation::ShortCodes,
        Operation::ConfigureShortCode(short.into(), settings),
    ];
    on_host_runtime(async {
        let client = rest::Client::new(&api);
        for operation in &operations {
            let until = Instant::now() + Duration::from_secs(20);
            let done = client.perform(&account, operation, until).await;
            println!("{}: {done:?}", operation.kind());
            assert!(done.is_ok(), "{operation:?}: {done:?}");
        }
        for operation in [Operation::Place(call), Operation::Send(message)] {
            let until = Instant::now() + Duration::from_secs(20);
            let found = client.look(&account, &operation, 1_700_000_000_000, until).await;
            assert!(found.is_ok(), "looking for {operation:?}: {found:?}");
        }
    });
}

/// URL-safe and without padding.
fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let bits: Vec<u8> = text.bytes().flat_map(|c| (0..6).rev().map(move |bit| value(c) >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | bit)).collect()
}

#[test]
fn a_replay_hears_what_the_carrier_said_and_asks_it_for_nothing() {
    on_host_runtime(async {
        let stub = Stub::start();
        let desk = Desk::start(&stub);
        desk.host.ok(&["tenant", "record", "acme", "--on"]);
        stub.plan([
            well(41),
            Treat::Answer(400, "", "{\"code\":21211,\"message\":\"no such number\"}".into()),
        ]);
        let said = desk.webhook("send", "one").await;
        let refused = desk.webhook("send", "two").await;
        assert!(said.contains(&format!("SM{:032x}", 41)) && refused.contains("21211"), "{said} {refused}");
        desk.webhook("place", "three").await;
        let (asked, outbox) = (stub.asked().len(), desk.outbox());

        let report = desk.host.json(&["replay", "outward", "--tenant", "acme", "--revision", "1"]);
        assert_eq!((&report["webhooks"], &report["groups"]), (&3.into(), &Value::Array(vec![])), "{report}");
        assert_eq!((&report["not_compared"], &report["unstable"]), (&0.into(), &0.into()), "{report}");
        assert_eq!(stub.asked().len(), asked, "nobody is called or written to");
        assert_eq!(desk.outbox(), outbox, "and nothing waits to be done");
    });
}
