//! What the registry promises, tried on real files.

mod backup;
mod crash;
mod damage;
mod deploys;
mod files;
mod local;
mod properties;
mod records;
mod speed;

use std::path::{Path, PathBuf};

use super::model::*;
use super::{FILE_NAME, MasterKey, PINNED_MS, Registry, RegistryError};
use crate::call::{HandlerName, RevisionId, TenantId};
use crate::config::Secret;
use crate::digest::Digest;
use crate::handler_toml::{RevisionSettings, SecretGrant};
use crate::release::{Canary, Release, ReleaseChange, ReleaseEvent, ReleaseRisk, Share, Step, StepEnd};

/// 2026-01-01, in Unix milliseconds.
const NOW: u64 = 1_767_225_600_000;
const AUTH_TOKEN: &str = "0123456789abcdef-auth-token";
const SHARED_SECRET: &str = "fedcba9876543210-shared-secret";

/// A data folder with a registry in it.
struct Folder {
    dir: tempfile::TempDir,
    key: MasterKey,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::open(dir.path()).unwrap();
        Self { dir, key }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn database(&self) -> PathBuf {
        self.path().join(FILE_NAME)
    }

    fn open(&self) -> Result<Registry, RegistryError> {
        Registry::open(self.path(), &self.key)
    }

    /// With tenant `acme`.
    fn with_tenant() -> (Self, Registry) {
        let folder = Self::new();
        let registry = folder.open().unwrap();
        registry.create_tenant(&tenant("acme")).unwrap();
        (folder, registry)
    }
}

fn id(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

fn name(name: &str) -> HandlerName {
    HandlerName::new(name).unwrap()
}

fn tenant(name: &str) -> TenantRecord {
    TenantRecord {
        id: id(name),
        public_url: Some("https://calls.example.com".into()),
        auth_tokens: vec![Secret::new(AUTH_TOKEN.into()), Secret::new(format!("{AUTH_TOKEN}-older"))],
        shared_keys: vec![("key-1".into(), Secret::new(SHARED_SECRET.into()))],
        account: None,
        quota: Quota::default(),
        created_at: NOW,
    }
}

/// A component that `content` stands for.
fn revision(tenant: &str, handler: &str, content: &str) -> NewRevision {
    NewRevision {
        tenant: id(tenant),
        handler: name(handler),
        digest: Digest::of(content.as_bytes()),
        component_bytes: 1_000,
        artifact_bytes: 3_000,
        settings: RevisionSettings::default(),
        imports: vec!["hookswitch:handler/log@0.1.0".into()],
        exports: vec!["voice".into()],
        by: "ci".into(),
        at: NOW,
    }
}

/// All new calls at once.
fn at_once(context: &DeployContext) -> Result<Decision, RegistryError> {
    let present = context.handler.as_ref().map(|handler| &handler.release);
    let release = Release {
        generation: present.map_or(0, |release| release.generation) + 1,
        stable: context.revision,
        previous: present.map(|release| release.stable),
        canary: None,
    };
    Ok(decision(Some((release, event(ReleaseChange::Released, context.revision, NOW)))))
}

/// One new call in ten.
fn as_canary(context: &DeployContext) -> Result<Decision, RegistryError> {
    let Some(handler) = &context.handler else { return at_once(context) };
    let release = Release {
        generation: handler.release.generation + 1,
        canary: Some(canary(context.revision)),
        ..handler.release.clone()
    };
    Ok(decision(Some((release, event(ReleaseChange::CanaryStarted, context.revision, NOW)))))
}

fn decision(release: Option<(Release, ReleaseEvent)>) -> Decision {
    Decision { risk: ReleaseRisk::Code, reason: "code changed".into(), release }
}

fn canary(revision: RevisionId) -> Canary {
    Canary {
        revision,
        risk: ReleaseRisk::Code,
        reason: "code changed".into(),
        steps: vec![Step { share: Share(1_000), ends: StepEnd::After { calls: 100, bake_ms: 600_000 } }],
        step: 0,
        started_at: NOW,
        step_started_at: NOW,
    }
}

fn event(change: ReleaseChange, revision: RevisionId, at: u64) -> ReleaseEvent {
    ReleaseEvent { at, change, revision, by: "ci".into(), reason: "because".into() }
}

/// Makes a column unreadable in the rows that `rows` names; gives back what stood in the first.
fn spoil(folder: &Folder, table: &str, column: &str, rows: &str) -> rusqlite::types::Value {
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    let good =
        shell.query_row(&format!("SELECT {column} FROM {table} WHERE {rows}"), [], |row| row.get(0)).unwrap();
    let junk = if column == "sealed" { "x'00'" } else { "'{'" };
    shell.execute(&format!("UPDATE {table} SET {column} = {junk} WHERE {rows}"), []).unwrap();
    good
}

/// Undoes [`spoil`].
fn repair(folder: &Folder, table: &str, column: &str, rows: &str, good: &rusqlite::types::Value) {
    let shell = rusqlite::Connection::open(folder.database()).unwrap();
    shell.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {rows}"), [good]).unwrap();
}

/// The folder's files and their bytes. Only without an open connection in this process: closing any descriptor of the
/// database drops SQLite's locks on it.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let bytes = if entry.path().is_dir() { Vec::new() } else { std::fs::read(entry.path()).unwrap() };
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect();
    found.sort();
    found
}
