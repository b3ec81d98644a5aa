//! The carrier's words as enums, and how texts are read as types.
//!
//! The carrier adds words without notice, so each enum has an `Other` for those it does not know and
//! matches on it stay open; what the word was, `param` tells.

use crate::call::{CallStatus, Direction};

/// A type that a parameter's text may be read as.
pub(crate) trait Read<'a>: Sized {
    /// The value, or none if the text is not one.
    fn read(text: &'a str) -> Option<Self>;
}

impl<'a> Read<'a> for &'a str {
    fn read(text: &'a str) -> Option<Self> {
        Some(text)
    }
}

impl Read<'_> for u64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Read<'_> for f64 {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Read<'_> for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// Gives an enum with `Other` the carrier's words.
macro_rules! spelling {
    ($name:ident { $($variant:ident = $word:literal,)+ }) => {
        impl $name {
            /// The carrier's word; empty for [`Other`](Self::Other).
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other => "",
                }
            }
        }

        impl crate::params::words::Read<'_> for $name {
            fn read(text: &str) -> Option<Self> {
                Some(match text {
                    $($word => Self::$variant,)+
                    _ => Self::Other,
                })
            }
        }
    };
}

/// An enum of the carrier's words, open for more.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $word, "`.")] $variant,)+
            /// A word that was added later.
            Other,
        }

        $crate::params::words::spelling!($name { $($variant = $word,)+ });
    )+};
}

pub(crate) use {spelling, words};

spelling!(Direction {
    Inbound = "inbound",
    OutboundApi = "outbound-api",
    OutboundDial = "outbound-dial",
});

spelling!(CallStatus {
    Queued = "queued",
    Initiated = "initiated",
    Ringing = "ringing",
    InProgress = "in-progress",
    Completed = "completed",
    Busy = "busy",
    Failed = "failed",
    NoAnswer = "no-answer",
    Canceled = "canceled",
});

impl CallStatus {
    /// Whether the leg is over: no further webhook of it will come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::Failed | Self::NoAnswer | Self::Canceled)
    }
}
