//! Tokens of people and programs: shown once, kept as a keyed hash.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::files::{self, Present};
use super::key::{keyed_hash, random};
use super::model::{Scope, TokenRecord};
use super::rows::text;
use super::tenants::quota_of;
use super::{Registry, RegistryError};
use crate::call::TenantId;
use crate::config::Secret;

/// What every token begins with, so that one that leaked into a repository is found by a search.
const PREFIX: &str = "hsw_";

/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// Random bytes of a token's name.
const ID_BYTES: usize = 6;

/// Longest text that is hashed in order to find a token; ours have 47 characters.
const TEXT_BYTES_MAX: usize = 256;

/// What the token in the operator's file is called, in history and log: it is the one that people use before they make others.
pub const FILE_LABEL: &str = "the operator's token";

/// What it was called before.
const FILE_LABEL_OLD: &str = "file operator-token";

const COLUMNS: &str = "id, label, scope, tenant, created_at";

/// What became of the operator's token file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorToken {
    /// It was there and is valid.
    Present,
    /// There was none that is valid; a new one was written.
    Made,
}

impl Registry {
    /// Makes a token. Its text is not kept: this is the only time that it can be shown.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where the scope's tenant is none.
    pub fn create_token(
        &self,
        scope: Scope,
        label: &str,
        at: u64,
    ) -> Result<(TokenRecord, Secret), RegistryError> {
        let mut id = [0; ID_BYTES];
        let mut token = [0; TOKEN_BYTES];
        for bytes in [&mut id[..], &mut token[..]] {
            random(bytes)
                .map_err(|error| RegistryError::Invalid(format!("no token can be made: {error}")))?;
        }
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token));
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = TokenRecord { id, label: label.to_owned(), scope, created_at: at };
        self.writer.write(|transaction| {
            let (scope, tenant) = columns_of(&token.scope);
            if let Some(tenant) = tenant {
                quota_of(transaction, tenant)?;
            }
            transaction
                .prepare_cached("INSERT INTO token (id, label, scope, tenant, created_at, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![token.id, token.label, scope, tenant.map(TenantId::as_str), at, self.token_hash(&text)])?;
            Ok(Ok((token, Secret::new(text))))
        })
    }

    /// The token whose text this is, if it is one of ours. Found by its keyed hash, so how long the search takes tells nothing
    /// about how near a guess came.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn find_token(&self, text: &str) -> Result<Option<TokenRecord>, RegistryError> {
        if text.len() > TEXT_BYTES_MAX {
            return Ok(None);
        }
        let hash = self.token_hash(text);
        self.reader.read(|transaction| find(transaction, &hash))
    }

    /// The tokens of a tenant, or all with the operators', oldest first.
    ///
    /// # Errors
    /// Where the registry can't be read.
    pub fn tokens(&self, tenant: Option<&TenantId>) -> Result<Vec<TokenRecord>, RegistryError> {
        self.reader.read(|transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM token WHERE ?1 IS NULL OR tenant = ?1 ORDER BY created_at, id"
            ))?;
            let tokens = statement.query_map([tenant.map(TenantId::as_str)], token)?;
            Ok(tokens.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Makes a token worthless from now on.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn revoke_token(&self, id: &str) -> Result<(), RegistryError> {
        self.writer.write(|transaction| {
            match transaction.prepare_cached("DELETE FROM token WHERE id = ?1")?.execute([id])? {
                0 => Err(RegistryError::NotFound(format!(
                    "no token is called {id:?}; `hookswitch token list` shows all"
                ))),
                _ => Ok(Ok(())),
            }
        })
    }

    /// Sees to it that the file at `path` holds a valid operator token: who may read the data folder may operate the host.
    ///
    /// A missing file, or one whose token was revoked, gets a new token; others stay valid until they are revoked.
    ///
    /// # Errors
    /// Where the registry or the file can't be read or written.
    pub fn ensure_operator_token(&self, path: &Path, at: u64) -> Result<OperatorToken, RegistryError> {
        match fs::read_to_string(path) {
            Ok(text) => {
                if self.find_token(text.trim())?.is_some_and(|token| token.scope == Scope::Operator) {
                    return Ok(OperatorToken::Present);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(RegistryError::io(path, error)),
        }
        let (record, token) = self.create_token(Scope::Operator, FILE_LABEL, at)?;
        let text = format!("{}\n", token.expose());
        if let Err(error) = files::write_whole(path, text.as_bytes(), Present::Replace) {
            // A token that nobody can ever read is not left behind, if the registry still takes it back.
            let _ = self.revoke_token(&record.id);
            return Err(RegistryError::io(path, error).at_full_disk(path));
        }
        Ok(OperatorToken::Made)
    }

    /// Keyed, so that a copy of the database alone does not even let a guess be checked.
    fn token_hash(&self, text: &str) -> [u8; 32] {
        keyed_hash(&self.token_key, text.as_bytes())
    }
}

fn find(connection: &Connection, hash: &[u8; 32]) -> Result<Option<TokenRecord>, RegistryError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM token WHERE hash = ?1"))?;
    Ok(statement.query_row([&hash[..]], token).optional()?)
}

fn token(row: &Row<'_>) -> rusqlite::Result<TokenRecord> {
    let scope = match row.get_ref(2)?.as_str()? {
        "operator" => Scope::Operator,
        "deploy" => Scope::Deploy(text(row, 3, TenantId::new)?),
        // The schema allows three words.
        _ => Scope::Read(text(row, 3, TenantId::new)?),
    };
    let mut label: String = row.get(1)?;
    if label == FILE_LABEL_OLD {
        label = FILE_LABEL.to_owned();
    }
    Ok(TokenRecord { id: row.get(0)?, label, scope, created_at: row.get(4)? })
}

fn columns_of(scope: &Scope) -> (&'static str, Option<&TenantId>) {
    match scope {
        Scope::Operator => ("operator", None),
        Scope::Deploy(tenant) => ("deploy", Some(tenant)),
        Scope::Read(tenant) => ("read", Some(tenant)),
    }
}
