//! Who uploaded what within the last hour: for as long as a component that no revision needs is kept.
//!
//! A tenant may deploy what it uploaded, and fills the disk with what it does not deploy. So each has an account of its own:
//! when that is full the tenant itself waits, or uploads again, and nobody else notices.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ControlLimits;
use crate::call::TenantId;
use crate::digest::Digest;

/// How long an upload is remembered and counted; after that the store deletes what no revision needs.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// Forgotten uploads are counted together by this much.
const TOGETHER: Duration = Duration::from_secs(60);

/// The uploads of all tenants.
pub(super) struct Uploads {
    tenants: Mutex<HashMap<TenantId, Account>>,
    count_max: usize,
    bytes_max: u64,
}

/// Those of one tenant.
#[derive(Default)]
struct Account {
    /// What it may deploy.
    remembered: HashMap<Digest, Upload>,
    /// Bytes that are on the disk and remembered no longer, oldest first.
    forgotten: VecDeque<Upload>,
    /// Bytes that are on their way.
    arriving: u64,
}

#[derive(Clone, Copy)]
struct Upload {
    at: Instant,
    bytes: u64,
}

/// A tenant uploaded too much that it did not deploy.
#[derive(Debug, thiserror::Error)]
#[error(
    "tenant {tenant} uploaded {used} bytes within the last hour that it did not deploy, and {more} more would make it over \
     {most}; deploy what was uploaded, or wait up to an hour"
)]
pub(super) struct TooMuch {
    tenant: TenantId,
    used: u64,
    more: u64,
    most: u64,
}

/// Bytes on their way, which count until they are there or given up.
pub(super) struct Arriving<'a> {
    uploads: &'a Uploads,
    tenant: TenantId,
    bytes: u64,
}

impl Uploads {
    pub(super) fn new(limits: &ControlLimits) -> Self {
        Self {
            tenants: Mutex::default(),
            count_max: limits.uploads_max,
            // The largest component that is taken at all has room.
            bytes_max: limits.upload_bytes_max.max(limits.component_bytes_max),
        }
    }

    /// Makes room for an upload of at most `bytes`.
    pub(super) fn begin(
        &self,
        tenant: &TenantId,
        digest: &Digest,
        bytes: u64,
        now: Instant,
    ) -> Result<Arriving<'_>, TooMuch> {
        let mut tenants = self.lock();
        if !tenants.contains_key(tenant) {
            tenants.retain(|_, account| !account.is_empty(now));
        }
        let account = tenants.entry(tenant.clone()).or_default();
        account.expire(now);
        // The same bytes again take the place of those that are there.
        let again = account.remembered.get(digest).map_or(0, |upload| upload.bytes);
        let used = account.bytes() - again;
        if used.saturating_add(bytes) > self.bytes_max {
            return Err(TooMuch { tenant: tenant.clone(), used, more: bytes, most: self.bytes_max });
        }
        account.arriving += bytes;
        Ok(Arriving { uploads: self, tenant: tenant.clone(), bytes })
    }

    /// A revision has it: from now on it counts in the tenant's quota, and is there for as long as that revision is.
    pub(super) fn deployed(&self, tenant: &TenantId, digest: &Digest) {
        if let Some(account) = self.lock().get_mut(tenant) {
            account.remembered.remove(digest);
        }
    }

    pub(super) fn has(&self, tenant: &TenantId, digest: &Digest, now: Instant) -> bool {
        let tenants = self.lock();
        let upload = tenants.get(tenant).and_then(|account| account.remembered.get(digest));
        upload.is_some_and(|upload| upload.counts(now))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Account>> {
        // Nothing that panics is done under it.
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arriving<'_> {
    /// It is there, and has `bytes`.
    pub(super) fn done(mut self, digest: Digest, bytes: u64, now: Instant) {
        let mut tenants = self.uploads.lock();
        let account = tenants.entry(self.tenant.clone()).or_default();
        account.arriving = account.arriving.saturating_sub(self.bytes);
        self.bytes = 0;
        account.remembered.insert(digest, Upload { at: now, bytes });
        while account.remembered.len() > self.uploads.count_max {
            account.forget_oldest();
        }
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        if self.bytes > 0
            && let Some(account) = self.uploads.lock().get_mut(&self.tenant)
        {
            account.arriving = account.arriving.saturating_sub(self.bytes);
        }
    }
}

impl Account {
    fn bytes(&self) -> u64 {
        let there = self.remembered.values().chain(&self.forgotten).map(|upload| upload.bytes);
        there.sum::<u64>() + self.arriving
    }

    fn expire(&mut self, now: Instant) {
        self.remembered.retain(|_, upload| upload.counts(now));
        self.forgotten.retain(|upload| upload.counts(now));
    }

    fn is_empty(&self, now: Instant) -> bool {
        self.arriving == 0
            && !self.remembered.values().chain(&self.forgotten).any(|upload| upload.counts(now))
    }

    /// Its bytes stay on the disk for the rest of the hour, so they go on counting: by the minute, so that the smallest
    /// uploads don't make the longest list.
    fn forget_oldest(&mut self) {
        let oldest = self.remembered.iter().min_by_key(|(_, upload)| upload.at);
        let Some((digest, upload)) = oldest.map(|(digest, upload)| (*digest, *upload)) else { return };
        self.remembered.remove(&digest);
        match self.forgotten.back_mut() {
            Some(last) if upload.at.duration_since(last.at) < TOGETHER => last.bytes += upload.bytes,
            _ => self.forgotten.push_back(upload),
        }
    }
}

impl Upload {
    fn counts(&self, now: Instant) -> bool {
        now.duration_since(self.at) < KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploads(count_max: usize, bytes_max: u64) -> Uploads {
        Uploads::new(&ControlLimits {
            uploads_max: count_max,
            upload_bytes_max: bytes_max,
            component_bytes_max: 10,
            ..ControlLimits::default()
        })
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::new(id).unwrap()
    }

    fn digest(number: u64) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    /// Whether there was room.
    fn upload(uploads: &Uploads, id: &str, number: u64, bytes: u64, now: Instant) -> bool {
        let begun = uploads.begin(&tenant(id), &digest(number), bytes, now);
        begun.map(|arriving| arriving.done(digest(number), bytes, now)).is_ok()
    }

    #[test]
    fn one_tenant_fills_its_own_account_and_no_others() {
        let (uploads, start) = (uploads(3, 1_000), Instant::now());
        for number in 0..5 {
            assert!(upload(&uploads, "acme", number, 1, start + Duration::from_secs(number)));
        }
        assert!(upload(&uploads, "other", 0, 1, start));
        let now = start + Duration::from_secs(5);
        let has = |id, number| uploads.has(&tenant(id), &digest(number), now);
        assert_eq!(
            (0..5).map(|number| has("acme", number)).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        assert!(has("other", 0), "the oldest of the tenant that has too many goes, and no other's");
    }

    #[test]
    fn bytes_count_for_an_hour_or_until_they_are_deployed_also_when_forgotten() {
        let (uploads, start) = (uploads(2, 100), Instant::now());
        for number in 0..10 {
            assert!(upload(&uploads, "acme", number, 10, start));
        }
        let refused = uploads.begin(&tenant("acme"), &digest(10), 1, start).err().unwrap().to_string();
        assert!(refused.contains("uploaded 100 bytes") && refused.contains("over 100"), "{refused}");
        assert!(upload(&uploads, "other", 10, 10, start), "another tenant has room");
        let remembered: Vec<_> =
            (0..10).filter(|number| uploads.has(&tenant("acme"), &digest(*number), start)).collect();
        assert!(upload(&uploads, "acme", remembered[0], 10, start), "the same again takes no more");
        uploads.deployed(&tenant("acme"), &digest(remembered[0]));
        assert!(upload(&uploads, "acme", 10, 10, start), "what is deployed makes room");
        assert!(!upload(&uploads, "acme", 11, 1, start + KEPT - Duration::from_secs(1)));
        assert!(upload(&uploads, "acme", 11, 10, start + KEPT));
        assert!(!uploads.has(&tenant("acme"), &digest(10), start + KEPT));
    }

    #[test]
    fn uploads_on_their_way_count_and_give_their_room_back() {
        let (uploads, now) = (uploads(9, 20), Instant::now());
        let first = uploads.begin(&tenant("acme"), &digest(1), 10, now).unwrap();
        let second = uploads.begin(&tenant("acme"), &digest(2), 10, now).unwrap();
        assert!(!upload(&uploads, "acme", 3, 1, now));
        drop(first);
        assert!(upload(&uploads, "acme", 3, 9, now));
        second.done(digest(2), 1, now);
        assert!(upload(&uploads, "acme", 4, 10, now), "what came counts, and not what was announced");
        assert!(!upload(&uploads, "acme", 5, 1, now));
    }

    #[test]
    fn what_is_kept_of_many_tenants_and_small_uploads_is_bounded() {
        let (uploads, start) = (uploads(2, 1 << 30), Instant::now());
        for number in 0..50 {
            assert!(upload(&uploads, &format!("t{number}"), 0, 1, start));
        }
        for second in 0..4_000 {
            assert!(upload(&uploads, "acme", second, 1, start + Duration::from_secs(second)));
        }
        let now = start + Duration::from_secs(4_000);
        assert!(upload(&uploads, "new", 0, 1, now), "the first upload of a tenant sweeps those of the past");
        let tenants = uploads.lock();
        assert_eq!(tenants.len(), 2);
        let acme = &tenants[&tenant("acme")];
        assert!(acme.forgotten.len() <= 61 && acme.remembered.len() == 2, "{}", acme.forgotten.len());
    }
}
