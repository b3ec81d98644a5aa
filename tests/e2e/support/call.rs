//! One call, as the carrier conducts it: begins, hears a document, follows the link that an answer leads to.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Client, Heard};

/// A call in progress.
pub struct Call {
    client: Client,
    first: String,
    path: String,
    id: String,
    from: String,
    to: String,
    heard: Option<Heard>,
}

impl Call {
    /// A call of `TENANT/HANDLER`, or of the URL path `TENANT/HANDLER/voice/STEP`.
    pub fn new(client: Client, handler: &str) -> Self {
        static CALLS: AtomicU32 = AtomicU32::new(1);
        let id = format!("CA{:032x}", CALLS.fetch_add(1, Ordering::Relaxed));
        let first =
            if handler.contains("/voice") { format!("/{handler}") } else { format!("/{handler}/voice") };
        Self {
            client,
            path: first.clone(),
            first,
            id,
            from: "+12025550123".into(),
            to: "+12025550199".into(),
            heard: None,
        }
    }

    /// Who calls.
    pub fn from(mut self, number: &str) -> Self {
        self.from = number.into();
        self
    }

    /// Who is called.
    pub fn to(mut self, number: &str) -> Self {
        self.to = number.into();
        self
    }

    /// The carrier's id of this call.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The first webhook; once more where the carrier has no other link.
    pub async fn start(&mut self) -> &Heard {
        self.path.clone_from(&self.first);
        self.webhook(&[("CallStatus", "ringing")]).await
    }

    /// Keys pressed at the gather of the last document.
    pub async fn press(&mut self, digits: &str) -> &Heard {
        self.follow("Gather", "action", &[("Digits", digits)]).await
    }

    /// Words said at the gather of the last document.
    pub async fn say(&mut self, words: &str) -> &Heard {
        self.follow("Gather", "action", &[("SpeechResult", words), ("Confidence", "0.9")]).await
    }

    /// The `attribute` of the first `element` in the last document is called with these parameters.
    pub async fn follow(&mut self, element: &str, attribute: &str, params: &[(&str, &str)]) -> &Heard {
        self.path = self.link(element, attribute);
        let mut all = vec![("CallStatus", "in-progress")];
        all.extend_from_slice(params);
        self.webhook(&all).await
    }

    /// The link in an attribute of the last document.
    pub fn link(&self, element: &str, attribute: &str) -> String {
        let document = &self.last().body;
        let found = document.split(&format!("<{element} ")).nth(1).and_then(|rest| {
            let tag = rest.split('>').next()?;
            tag.split(&format!("{attribute}=\"")).nth(1)?.split('"').next()
        });
        found.unwrap_or_else(|| panic!("no {attribute} of <{element}> in {document}")).replace("&amp;", "&")
    }

    /// What was heard last.
    pub fn last(&self) -> &Heard {
        self.heard.as_ref().expect("the call has begun")
    }

    async fn webhook(&mut self, params: &[(&str, &str)]) -> &Heard {
        let mut all = vec![
            ("CallSid", self.id.as_str()),
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("From", &self.from),
            ("To", &self.to),
            ("Direction", "inbound"),
            ("ApiVersion", "2010-04-01"),
        ];
        all.extend_from_slice(params);
        let heard = self.client.post(&self.path, &all).await;
        self.heard.insert(heard)
    }
}
