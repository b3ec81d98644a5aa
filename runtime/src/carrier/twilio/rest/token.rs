//! Access tokens: what a browser phone signs in with. A JWT, signed with the secret of an API key.
//!
//! Source: Twilio, "Access Tokens", and the official libraries (`cty` is `twilio-fpa;v=1`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::super::super::operation::VoiceGrant;

/// A token of account `sid` for `grant`, good from `now_s` (Unix time) on.
#[must_use]
pub fn access_token(sid: &str, (key_id, key_secret): (&str, &str), grant: &VoiceGrant, now_s: u64) -> String {
    let mut voice = Map::new();
    if grant.incoming {
        voice.insert("incoming".into(), json!({ "allow": true }));
    }
    if let Some(application) = &grant.application {
        let mut outgoing = json!({ "application_sid": application });
        if !grant.params.is_empty() {
            let params: Map<String, Value> =
                grant.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            outgoing["params"] = params.into();
        }
        voice.insert("outgoing".into(), outgoing);
    }
    let header = json!({ "typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1" });
    let payload = json!({
        "jti": format!("{key_id}-{now_s}"),
        "iss": key_id,
        "sub": sid,
        "iat": now_s,
        "nbf": now_s,
        "exp": now_s.saturating_add(grant.ttl_s.into()),
        "grants": { "identity": grant.identity, "voice": voice },
    });
    let signed = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    let proof = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{proof}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_may_do_what_until_when_and_is_signed() {
        let grant = VoiceGrant {
            identity: "alice".into(),
            application: Some("AP1".into()),
            params: vec![("team".into(), "sales".into())],
            incoming: true,
            ttl_s: 600,
        };
        let token = access_token("AC1", ("SK1", "secret"), &grant, 1_700_000_000);
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        let read =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        assert_eq!(read(parts[0]), json!({ "typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1" }));
        let payload = read(parts[1]);
        for (name, value) in [
            ("iss", json!("SK1")),
            ("sub", json!("AC1")),
            ("exp", json!(1_700_000_600)),
            ("nbf", json!(1_700_000_000)),
        ] {
            assert_eq!(payload[name], value, "{name}");
        }
        let voice = json!({
            "incoming": { "allow": true },
            "outgoing": { "application_sid": "AP1", "params": { "team": "sales" } },
        });
        assert_eq!(payload["grants"], json!({ "identity": "alice", "voice": voice }));
        let other = access_token("AC1", ("SK1", "another"), &grant, 1_700_000_000);
        assert_ne!(other.rsplit('.').next(), token.rsplit('.').next());
        assert_eq!(other.rsplit_once('.').unwrap().0, token.rsplit_once('.').unwrap().0);
    }
}
