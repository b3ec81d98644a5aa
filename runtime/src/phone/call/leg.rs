//! The progress of a leg: what its status callbacks tell, and how a call begins and ends.

use super::{Call, CallRecord, Ended, Fetch, Scope};
use crate::phone::event::{Leg, What};
use crate::phone::line::Line;
use crate::phone::params::{LegState, Params, add, params};
use crate::phone::party::{Outcome, Party};
use crate::phone::sender::Target;

/// How long somebody lets it ring before answering.
pub(super) const RING_MS: u64 = 4_000;
/// How long it takes to find a line busy, or nobody at its end.
pub(super) const BUSY_MS: u64 = 1_500;
/// What the platform adds to the timeout of a dial.
/// Source: Twilio, "about 5 s are added".
pub(super) const TIMEOUT_ADDED_S: u64 = 5;

/// Who hears of a leg's progress.
pub(super) struct Progress {
    target: Option<Target>,
    events: Vec<String>,
    /// Told so far.
    sequence: u32,
}

impl Progress {
    /// `events` empty is `completed` alone.
    pub(super) fn new(target: Option<Target>, events: &[String]) -> Self {
        let events = if events.is_empty() { vec!["completed".into()] } else { events.to_vec() };
        Self { target, events, sequence: 0 }
    }
}

impl<L: Line, P: Party> Call<'_, L, P> {
    /// Tells one event of a leg. `more` comes with it: what only this event has.
    pub(super) async fn progress(
        &mut self,
        leg: &LegState,
        side: Leg,
        progress: &mut Progress,
        event: &str,
        more: Params,
    ) {
        if progress.target.is_none() || !progress.events.iter().any(|wanted| wanted == event) {
            return;
        }
        let mut all = leg.standard(&self.sender.account);
        let sequence = progress.sequence.to_string();
        let own = [
            ("Timestamp", self.clock.moment()),
            ("CallbackSource", "call-progress-events".into()),
            ("SequenceNumber", sequence),
        ];
        add(&mut all, own.map(|(name, value)| (name.to_owned(), value)));
        add(&mut all, more);
        progress.sequence += 1;
        let purpose = format!("status: {}", leg.status);
        let target = progress.target.clone();
        self.callback(side, &purpose, target.as_ref(), all).await;
    }

    /// The last event of a leg, with how long it was.
    pub(super) async fn progress_end(
        &mut self,
        leg: &LegState,
        side: Leg,
        progress: &mut Progress,
        sip_code: u16,
        recording: Option<&Params>,
    ) {
        let seconds = leg.answered_at_ms.map_or(0, |at| (self.clock.now_ms() - at).div_ceil(1_000));
        let mut more =
            params(&[("CallDuration", &seconds.to_string()), ("SipResponseCode", &sip_code.to_string())]);
        if leg.status == "completed" {
            more.push(("Duration".into(), seconds.div_ceil(60).to_string()));
            more.extend(recording.into_iter().flatten().cloned());
        }
        self.progress(leg, side, progress, "completed", more).await;
    }

    /// A call that the handler's owner began: it rings, and somebody answers or not.
    pub(super) async fn begin_outbound(
        &mut self,
        leg: &mut LegState,
        progress: &mut Progress,
        outcome: Outcome,
        first: &mut Fetch,
    ) {
        for status in ["initiated", "ringing"] {
            leg.status = status;
            self.progress(leg, Leg::Caller, progress, status, Params::new()).await;
        }
        match outcome {
            Outcome::Answered { machine, .. } => {
                self.clock.pass(RING_MS);
                leg.status = "in-progress";
                leg.answered_at_ms = Some(self.clock.now_ms());
                first.purpose = "outbound call".into();
                if machine {
                    first.extra =
                        params(&[("AnsweredBy", "machine_start"), ("MachineDetectionDuration", "2300")]);
                }
                self.progress(leg, Leg::Caller, progress, "answered", Params::new()).await;
            }
            Outcome::Busy | Outcome::QueueFull => self.clock.pass(BUSY_MS),
            Outcome::Failed { .. } => self.clock.pass(BUSY_MS),
            // Source: Twilio, REST calls ring for 60 s by default.
            Outcome::NoAnswer => self.clock.pass(60_000),
        }
    }

    /// The end: the last status, told, and what was kept back until now.
    pub(super) async fn finish(
        mut self,
        leg: &mut LegState,
        mut progress: Progress,
        ended: Option<Ended>,
        outbound: Option<Outcome>,
    ) -> CallRecord {
        let (how, status, sip_code) = match (ended, outbound) {
            (None, Some(Outcome::Busy | Outcome::QueueFull)) => ("the line was busy", "busy", 486),
            (None, Some(Outcome::Failed { sip_code })) => {
                ("the number could not be reached", "failed", sip_code)
            }
            (None, _) => ("nobody answered", "no-answer", 487),
            (Some(Ended::Rejected { busy: true }), _) => (Ended::Rejected { busy: true }.how(), "busy", 486),
            (Some(ended @ Ended::Rejected { busy: false }), _) => (ended.how(), "no-answer", 603),
            (Some(ended), _) if leg.answered_at_ms.is_some() => (ended.how(), "completed", 200),
            // The error message of the carrier was heard.
            (Some(ended @ Ended::Failed), _) => (ended.how(), "completed", 200),
            // Hung up while it rang: nobody answered.
            (Some(ended @ Ended::HungUp), _) => (ended.how(), "no-answer", 487),
            (Some(ended), _) => (ended.how(), "completed", 200),
        };
        leg.status = status;
        for started in std::mem::take(&mut self.started) {
            self.stopped(leg, Scope::Call, started).await;
        }
        self.tell_due().await;
        let recording = self.dial_recording.take();
        self.progress_end(leg, Leg::Caller, &mut progress, sip_code, recording.as_ref()).await;
        for kept in self.sender.take_kept() {
            let sent = self.sender.tell_now(&kept.purpose, &kept.target, &kept.params).await;
            self.sent(Leg::Caller, sent).await;
        }
        self.tell(Leg::Caller, What::Ended { how: how.to_owned(), status }).await;
        self.record
    }
}
