//! What one invocation costs: a fresh instance and one call, beside the same call on a reused instance.
//!
//! `cargo bench --features bench --bench sandbox -- [--rounds N] [--keep-resident-kib N] [--keep-stacks] COMPONENT.wasm…`
//!
//! Prints its conditions, then for each component p10, p50, p99 and mean in microseconds, on one thread that does
//! nothing else.
//! The rows are interleaved in rounds, so that a noisy neighbour disturbs all of them alike.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use hookswitch::call::{Call, CallStatus, Direction, Webhook};
use hookswitch::capability::{ConfigValues, Nobody};
use hookswitch::sandbox::steps::{Reused, Steps, steps};
use hookswitch::sandbox::{Answer, Limits, Prepared, Sandbox, SandboxSettings};

const WARM_UP: usize = 2_000;
const ROUNDS: usize = 50;
const CALLS_PER_ROUND: usize = 500;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut settings = SandboxSettings::default();
    let mut rounds = ROUNDS;
    let mut components = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {} // cargo's own
            "--keep-stacks" => settings.zero_stacks = false,
            "--keep-resident-kib" => {
                let kib = arguments.next().and_then(|kib| kib.parse().ok());
                settings.keep_resident_kib = kib.ok_or("--keep-resident-kib takes a number")?;
            }
            "--rounds" => {
                let count = arguments.next().and_then(|count| count.parse().ok());
                rounds = count.ok_or("--rounds takes a number")?;
            }
            path => components.push(path.to_owned()),
        }
    }
    if components.is_empty() {
        println!("bench sandbox: no component given, nothing measured; name one or more .wasm files");
        return Ok(());
    }
    let sandbox = Sandbox::new(&settings).map_err(|error| error.to_string())?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    println!("{settings:?}");
    println!("{} CPUs, {rounds} rounds of {CALLS_PER_ROUND} calls, one thread; microseconds", cpus());
    println!("{:<32} {:<28} {:>8} {:>8} {:>8} {:>8}", "component", "what", "p10", "p50", "p99", "mean");
    for path in &components {
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        let prepared = sandbox.load(&bytes).map_err(|error| format!("{path}: {error}"))?;
        let name = path.rsplit('/').next().unwrap_or(path);
        runtime.block_on(measure(&sandbox, &prepared, name, rounds))?;
    }
    Ok(())
}

async fn measure(sandbox: &Sandbox, prepared: &Prepared, name: &str, rounds: usize) -> Result<(), String> {
    let limits = Limits::default();
    let nobody = Nobody::new(ConfigValues::from_iter([("greeting", "Welcome to Acme")]));
    let call = incoming_call();
    let webhook = Webhook::Voice(call.clone());

    let mut fresh = Samples::default();
    let mut split = [Samples::default(), Samples::default(), Samples::default(), Samples::default()];
    let mut reused = Samples::default();
    let fresh_call = async || {
        let outcome = sandbox.run(prepared, &limits, nobody.context(), &webhook).await;
        match outcome.result {
            Ok(Answer::Document(document)) => Ok(document.len()),
            Ok(Answer::Noted | Answer::Web(_)) => Ok(0),
            Err(error) => Err(format!("{name}: {} {error}", error.code())),
        }
    };
    for _ in 0..WARM_UP {
        fresh_call().await?;
    }
    for _ in 0..rounds {
        for _ in 0..CALLS_PER_ROUND {
            let start = Instant::now();
            fresh_call().await?;
            fresh.0.push(start.elapsed());
        }
        for _ in 0..CALLS_PER_ROUND {
            let Steps { store, instantiate, call, drop } =
                steps(sandbox, prepared, &limits, nobody.context(), &call).await?;
            for (samples, step) in split.iter_mut().zip([store, instantiate, call, drop]) {
                samples.0.push(step);
            }
        }
        // A handler may keep what it allocates for a call: it never has a second one. So one instance
        // serves no more than a few.
        for _ in 0..CALLS_PER_ROUND / 10 {
            let mut instance = Reused::new(sandbox, prepared, &limits, nobody.context()).await?;
            instance.call(prepared, &call).await?;
            for _ in 0..10 {
                let start = Instant::now();
                instance.call(prepared, &call).await?;
                reused.0.push(start.elapsed());
            }
        }
    }
    let [store, instantiate, called, dropped] = split;
    for (what, samples) in [
        ("fresh instance + call", fresh),
        ("  store", store),
        ("  instantiate", instantiate),
        ("  call", called),
        ("  drop", dropped),
        ("call on a reused instance", reused),
    ] {
        samples.print(name, what);
    }
    Ok(())
}

#[derive(Default)]
struct Samples(Vec<Duration>);

impl Samples {
    fn print(mut self, name: &str, what: &str) {
        self.0.sort_unstable();
        let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
        let at = |share: f64| self.0.get((self.0.len() as f64 * share) as usize).copied().unwrap_or_default();
        let mean = self.0.iter().sum::<Duration>() / u32::try_from(self.0.len().max(1)).unwrap_or(u32::MAX);
        println!(
            "{name:<32} {what:<28} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            micros(at(0.1)),
            micros(at(0.5)),
            micros(at(0.99)),
            micros(mean)
        );
    }
}

/// An incoming call as the carrier sends it.
fn incoming_call() -> Call {
    Call {
        id: "CA00000000000000000000000000000001".into(),
        account: "AC00000000000000000000000000000001".into(),
        from: "+12025550123".into(),
        to: "+12025550199".into(),
        direction: Direction::Inbound,
        status: CallStatus::Ringing,
        step: String::new(),
        digits: None,
        speech: None,
        form: "Called=%2B12025550199&ToState=DC&CallerCountry=US&Direction=inbound&CallerState=DC&ToZip=&CallSid=\
               CA00000000000000000000000000000001&To=%2B12025550199&CallerZip=20001&ToCountry=US&ApiVersion=2010-04-01&\
               CalledZip=&CalledCity=&CallStatus=ringing&From=%2B12025550123&AccountSid=AC00000000000000000000000000000001&\
               CalledCountry=US&CallerCity=WASHINGTON&ToCity=&FromCountry=US&Caller=%2B12025550123&FromCity=WASHINGTON&\
               CalledState=DC&FromZip=20001&FromState=DC"
            .into(),
    }
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
