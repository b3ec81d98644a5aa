//! The parameters that come with every voice webhook.

use super::sender::Account;

/// Parameters in the order in which they are sent.
pub(super) type Params = Vec<(String, String)>;

/// One party's connection in a call.
#[derive(Debug, Clone)]
pub(super) struct LegState {
    pub(super) sid: String,
    pub(super) parent: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) direction: &'static str,
    pub(super) status: &'static str,
    /// What the author wants sent with each webhook; may hide a standard parameter.
    pub(super) own: Params,
    /// When it was answered, in milliseconds of the conversation.
    pub(super) answered_at_ms: Option<u64>,
}

impl LegState {
    /// `CallStatus` of one who has hung up.
    pub(super) const fn left(&self) -> &'static str {
        if self.answered_at_ms.is_some() { "completed" } else { "no-answer" }
    }

    /// Source: `webhooks.md` 3.
    pub(super) fn standard(&self, account: &Account) -> Params {
        let mut params = params(&[
            ("CallSid", &self.sid),
            ("AccountSid", &account.sid),
            ("From", &self.from),
            ("To", &self.to),
            ("CallStatus", self.status),
            ("ApiVersion", API_VERSION),
            ("Direction", self.direction),
            ("Caller", &self.from),
            ("Called", &self.to),
        ]);
        if let Some(parent) = &self.parent {
            params.push(("ParentCallSid".into(), parent.clone()));
        }
        for (side, number) in
            [("From", &self.from), ("Caller", &self.from), ("To", &self.to), ("Called", &self.to)]
        {
            params.extend(place(side, number));
        }
        add(&mut params, self.own.iter().cloned());
        params
    }
}

/// Whether a message or a call can go there: a number, however it is punctuated, or an address on another channel.
pub(super) fn is_reachable(address: &str) -> bool {
    let part = |c: char| c.is_ascii_digit() || "+-./() ".contains(c);
    match address.trim().split_once(':') {
        Some((channel, rest)) => !channel.is_empty() && !rest.is_empty(),
        None => address.chars().all(part) && address.contains(|c: char| c.is_ascii_digit()),
    }
}

/// Puts `more` into `params`, each in the place of one with its name.
pub(super) fn add(params: &mut Params, more: impl IntoIterator<Item = (String, String)>) {
    for (name, value) in more {
        match params.iter_mut().find(|(found, _)| *found == name) {
            Some(pair) => pair.1 = value,
            None => params.push((name, value)),
        }
    }
}

/// Literal pairs as parameters.
pub(super) fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) const API_VERSION: &str = "2010-04-01";

/// Where a number is from: known for no more than the country here; the others are sent empty, as the carrier does.
fn place(side: &str, number: &str) -> [(String, String); 4] {
    let country = if number.starts_with("+1") { "US" } else { "" };
    [("City", ""), ("State", ""), ("Zip", ""), ("Country", country)]
        .map(|(what, value)| (format!("{side}{what}"), value.to_owned()))
}

/// The same for a message, which has no `Caller` and `Called`.
pub(super) fn places(from: &str, to: &str) -> Params {
    place("From", from).into_iter().chain(place("To", to)).collect()
}
