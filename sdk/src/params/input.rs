//! What callers press and say: the results of Gather.

use super::declare::{group, methods};

methods! {
    input_readings: [Call]
    {}
    {
        /// What a Gather collected, in the webhook of its `action`.
        gather: Gathered;
    }
}

methods! {
    partial_speech_readings: [Event]
    {}
    {
        /// Speech recognised so far, in a `partialResultCallback`.
        partial_speech: PartialSpeech;
    }
}

group! {
    /// What a Gather collected. Without input nothing is sent and the document goes on, unless it
    /// has `actionOnEmptyResult`: then the webhook comes, with empty digits
    /// ([`Call::digits`](crate::Call::digits) is `Some("")`).
    Gathered {
        /// Keys pressed, without the finishing one.
        digits: &'a str = "Digits";
        /// The key that ended the input.
        finished_on_key: &'a str = "FinishedOnKey";
        /// What was said.
        speech_result: &'a str = "SpeechResult";
        /// How sure the recogniser is, 0 to 1; not always sent.
        confidence: f64 = "Confidence";
        /// Language that was recognised: `en-US`.
        language: &'a str = "Language";
        /// Why the webhook comes, in the carrier's words: `Gather End`.
        note: &'a str = "msg";
    }
}

group! {
    /// Speech recognised while the caller still speaks.
    PartialSpeech {
        /// What may still change.
        unstable: &'a str = "UnstableSpeechResult";
        /// What will stay as it is.
        stable: &'a str = "StableSpeechResult";
        /// How stable the result is, 0 to 1.
        stability: f64 = "Stability";
        /// Place among the partial results, from 0.
        sequence: u64 = "SequenceNumber";
    }
}
