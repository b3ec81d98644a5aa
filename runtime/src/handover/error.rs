//! Why a handover did not come about.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a data folder can't be taken, or was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The data folder is another host's.
    #[error(
        "{} is served by another host ({holder}); stop that one, give this one another --data, or replace that one \
         by this one with --take-over", dir.display()
    )]
    Held {
        /// The data folder.
        dir: PathBuf,
        /// Its process, as far as it is known.
        holder: String,
    },
    /// `--take-over`, and there is nobody to take over from.
    #[error("no host serves {}, so there is nothing to take over; start without --take-over", dir.display())]
    NobodyServes {
        /// The data folder.
        dir: PathBuf,
    },
    /// A file or socket in the data folder.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The other process is another user's.
    #[error(
        "the other process belongs to user {found}, this one to user {expected}; both must belong to the same"
    )]
    OtherUser {
        /// Effective user id of the other.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// No protocol that both understand.
    #[error(
        "the new process (version {version}) speaks handover protocols {oldest} to {newest}, this host {our_oldest} to \
         {our_newest}; stop this host and start the new one"
    )]
    NoCommonProtocol {
        /// Of the new process.
        version: String,
        /// The oldest it understands.
        oldest: u32,
        /// The newest it speaks.
        newest: u32,
        /// The oldest we understand.
        our_oldest: u32,
        /// The newest we speak.
        our_newest: u32,
    },
    /// The other side gave up, and said why.
    #[error("the other process gave up: {0}")]
    GivenUp(String),
    /// The other side said something else than what was due.
    #[error("expected {expected} from the other process, found {found}")]
    OutOfTurn {
        /// What was due.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// Nothing came in time.
    #[error("the other process did not get on within {} s while it should {doing}", within.as_secs_f32())]
    TooLate {
        /// What it should do.
        doing: &'static str,
        /// The limit.
        within: Duration,
    },
    /// The other process is gone.
    #[error("the other process ended the connection while it should {doing}; its own log says why")]
    Gone {
        /// What it should do.
        doing: &'static str,
    },
    /// The connection between both processes.
    #[error("the connection to the other process: {0}")]
    Connection(#[from] io::Error),
    /// More state than is handed over.
    #[error("{bytes} bytes of state are more than the {max} that are handed over")]
    TooMuch {
        /// How much.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// A new process that does not answer as it should.
    #[error("the test request was not answered: {0}")]
    Unproven(String),
}
