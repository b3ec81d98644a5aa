//! The host ends at a moment that nobody chose; what it acknowledged is there when it starts again.

use std::process::Stdio;
use std::time::Duration;

use super::{front_desk, greeting, variation};
use crate::support::{Client, Served, on_host_runtime, scale};

#[test]
fn every_acknowledged_deploy_is_there_after_a_kill_and_no_half_one() {
    on_host_runtime(async {
        let (folder, kills) = (tempfile::tempdir().unwrap(), scale(6, 200));
        let data = folder.path().join("data");
        let mut host = Served::start(&data);
        host.tenant("acme");
        let (mut number, mut acknowledged) = (0, 0);
        for kill in 0..kills {
            // A moment that differs each time, from before the upload to after the answer.
            let after = Duration::from_millis((kill as u64 * 97) % 450);
            let pid = host.pid().to_string();
            let killer = std::thread::spawn(move || {
                std::thread::sleep(after);
                std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap();
            });
            while host.runs() {
                number += 1;
                let code = variation(front_desk(), &format!("deploy {number}"));
                let path = greeting(folder.path(), &code, &format!("Deploy {number}."));
                let args = ["deploy", path.to_str().unwrap(), "--tenant", "acme", "--no-canary", "--json"];
                let mut deploy =
                    host.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
                // Whoever deploys would go on trying; here nobody comes back on this address.
                while deploy.try_wait().unwrap().is_none() {
                    if !host.runs() {
                        std::thread::sleep(Duration::from_millis(50));
                        let _over_already = deploy.kill();
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                let output = deploy.wait_with_output().unwrap();
                if output.status.success() {
                    let deployed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                    acknowledged = deployed["revision"].as_u64().unwrap();
                }
            }
            killer.join().unwrap();
            host = Served::start(&host.kill());
            if acknowledged == 0 {
                continue;
            }
            let revisions = host.json(&["revisions", "front-desk", "--tenant", "acme"]);
            let numbers: Vec<u64> =
                revisions.as_array().unwrap().iter().map(|one| one["revision"].as_u64().unwrap()).collect();
            assert!(numbers.contains(&acknowledged), "kill {kill}: {acknowledged} of {numbers:?}");
            let heard = Client::new(host.webhooks).call("acme/front-desk").start().await.clone();
            let answered: u64 =
                heard.revision().parse().unwrap_or_else(|_| panic!("kill {kill}: {}", heard.body));
            assert!(
                heard.code().is_empty() && answered >= acknowledged,
                "kill {kill}: {} {}",
                heard.code(),
                heard.body
            );
        }
        println!("{kills} kills, {number} deploys begun, {acknowledged} acknowledged last");
    });
}
