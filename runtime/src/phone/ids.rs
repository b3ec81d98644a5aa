//! Ids as the carrier makes them: two letters and 32 hex digits.

/// Makes ids that no other conversation has.
#[derive(Debug, Clone)]
pub struct Ids {
    seed: u64,
    made: u64,
}

impl Ids {
    /// Ids that begin with `seed`: the same ones each time.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    /// Ids that no other process makes.
    ///
    /// # Errors
    /// Where the operating system has no random numbers to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self::new(getrandom::u64()?))
    }

    /// The next id, such as `CA` and 32 hex digits.
    pub fn next(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:016x}{:016x}", self.seed, self.made)
    }
}
