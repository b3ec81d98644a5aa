//! The examples as a carrier meets them: whole conversations on the real host.

use http::StatusCode;

use crate::support::{TestHost, example, on_host_runtime};

async fn host(name: &str) -> TestHost {
    let host = TestHost::start().await;
    host.deploy_folder("acme", &example(name)).expect("it loads");
    host
}

#[test]
fn the_front_desk_connects_a_caller_and_takes_a_message_when_nobody_answers() {
    on_host_runtime(async {
        let host = host("front-desk").await;
        let mut call = host.call("acme/front-desk");
        let heard = call.start().await;
        assert_eq!(heard.status, StatusCode::OK, "{}", heard.body);
        assert!(heard.body.contains("Thank you for calling Acme."), "{}", heard.body);

        let heard = call.press("1").await;
        assert!(heard.body.contains("<Dial") && heard.body.contains("+12025550123"), "{}", heard.body);

        let heard = call.follow("Dial", "action", &[("DialCallStatus", "no-answer")]).await;
        assert!(heard.body.contains("Nobody can take your call"), "{}", heard.body);
        assert!(
            call.link("Record", "recordingStatusCallback")
                .starts_with("/acme/front-desk/status/voicemail?hs=1.")
        );

        let ready = [
            ("CallSid", call.id()),
            ("RecordingSid", "RE00000000000000000000000000000001"),
            ("RecordingStatus", "completed"),
            ("RecordingUrl", "https://api.example.com/RE1"),
            ("RecordingDuration", "7"),
        ];
        let told = host.post(&call.link("Record", "recordingStatusCallback"), &ready).await;
        assert_eq!((told.status, told.code()), (StatusCode::NO_CONTENT, ""));

        let heard = call
            .follow("Record", "action", &[("RecordingUrl", "https://api.example.com/RE1"), ("Digits", "#")])
            .await;
        assert!(heard.body.contains("We will call you back"), "{}", heard.body);
    });
}

#[test]
fn the_front_desk_understands_what_is_said_and_asks_again_what_is_not() {
    on_host_runtime(async {
        let host = host("front-desk").await;
        let mut call = host.call("acme/front-desk");
        call.start().await;
        let heard = call.say("support please").await;
        assert!(heard.body.contains("+12025550124"), "{}", heard.body);

        let mut call = host.call("acme/front-desk");
        call.start().await;
        let heard = call.press("9").await;
        assert!(heard.body.contains("<Redirect>/acme/front-desk/voice/again?hs=1."), "{}", heard.body);
    });
}

async fn text(host: &TestHost, params: &[(&str, &str)]) -> String {
    static TEXTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let id = format!("SM{:032x}", TEXTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let mut all = vec![("MessageSid", id.as_str()), ("From", "+12025550123"), ("To", "+12025550199")];
    all.extend_from_slice(params);
    let heard = host.post("/acme/sms-keywords/sms", &all).await;
    assert_eq!((heard.status, heard.code()), (StatusCode::OK, ""), "{}", heard.body);
    heard.body
}

#[test]
fn keywords_are_answered_pictures_acknowledged_and_a_stop_is_left_to_the_carrier() {
    on_host_runtime(async {
        let host = host("sms-keywords").await;
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[("Body", "Help"), ("NumMedia", "0"), ("NumSegments", "1")], "ADDRESS, HOURS"),
            (&[("Body", " hours "), ("NumMedia", "0")], "Monday to Friday"),
            (&[("Body", "what is this"), ("NumMedia", "0"), ("NumSegments", "1")], "no such word"),
            (
                &[
                    ("Body", ""),
                    ("NumMedia", "1"),
                    ("MediaContentType0", "image/jpeg"),
                    ("MediaUrl0", "https://api.example.com/ME1"),
                ],
                "Thank you for the picture.",
            ),
        ];
        for (params, expected) in cases {
            let answer = text(&host, params).await;
            assert!(answer.contains(expected), "{params:?}: {answer}");
        }
        let answer = text(&host, &[("Body", "STOP"), ("NumMedia", "0")]).await;
        assert!(!answer.contains("<Message"), "{answer}");
    });
}

#[test]
fn a_tracked_call_whispers_its_campaign_and_reports_the_leg() {
    on_host_runtime(async {
        let host = host("call-tracking").await;
        let mut call = host.call("acme/call-tracking").from("+12025550177").to("+12025550111");
        let heard = call.start().await;
        assert!(heard.body.contains("+12025550123"), "{}", heard.body);

        let progress = call.link("Number", "statusCallback");
        assert!(progress.starts_with("/acme/call-tracking/status/leg/radio?hs=1."), "{progress}");
        let told = host
            .post(&progress, &[("CallSid", call.id()), ("CallStatus", "ringing"), ("SequenceNumber", "1")])
            .await;
        assert_eq!((told.status, told.code()), (StatusCode::NO_CONTENT, ""));

        let after = call.link("Dial", "action");
        let heard = call.follow("Number", "url", &[]).await;
        assert!(heard.body.contains("A call from the campaign radio."), "{}", heard.body);

        let heard = host.post(&after, &[("CallSid", call.id()), ("DialCallStatus", "busy")]).await;
        assert!(heard.body.contains("will call you back"), "{}", heard.body);
    });
}
