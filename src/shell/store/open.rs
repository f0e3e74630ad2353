//! Opening the database by its URL.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Executor as _};

use super::error::{Result, StoreError};
use super::schema::{Dialect, migrate};
use super::{Inner, Store};

/// What would end the path in a URL.
const IN_PATH: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'%').add(b' ');

/// WAL: readers never wait for the writer. FULL: what was confirmed survives a power cut; writes come in batches, so
/// it costs one flush for hundreds of facts. A schema that somebody tampered with may not run functions.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 4000; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; \
     PRAGMA journal_size_limit = 67108864;";

/// The server gives up sooner than we do, so that it does not go on with what nobody waits for.
const POSTGRES_SETUP: &str = "SET statement_timeout = 9000; SET lock_timeout = 4000; \
     SET idle_in_transaction_session_timeout = 60000; SET application_name = 'perezvon';";

impl Store {
    /// Opens the database, making SQLite's file and its folder where they are missing, and brings the tables up to
    /// date.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`], [`StoreError::Open`] or [`StoreError::Migrate`], each with what to do.
    pub async fn open(url: &str) -> Result<Store> {
        sqlx::any::install_default_drivers();
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await,
            Some("postgres" | "postgresql") => open_postgres(url).await,
            _ => Err(bad_url(url, "it must begin with sqlite:// or postgres://")),
        }
    }
}

async fn open_sqlite(url: &str) -> Result<Store> {
    let file = sqlite_file(url)?;
    let name = format!("sqlite://{}", file.display());
    let failed = |why: String| StoreError::Open { what: name.clone(), why };
    make_folder(&file).map_err(failed)?;
    let full = std::path::absolute(&file).map_err(|error| failed(error.to_string()))?;
    let text = full.to_str().ok_or_else(|| bad_url(url, "the path is not UTF-8"))?;
    let options = connect_options(&format!("sqlite://{}?mode=rwc", utf8_percent_encode(text, IN_PATH)))?;
    let cannot = |error: sqlx::Error| {
        failed(format!("{error}; check that {} and its folder can be written to by this user", full.display()))
    };
    let write = pool(options.clone(), 1, SQLITE_SETUP).await.map_err(cannot)?;
    migrate(&write, Dialect::Sqlite, &name).await?;
    let read = pool(options, 6, SQLITE_SETUP).await.map_err(cannot)?;
    private(&full);
    Ok(Store { inner: Arc::new(Inner { dialect: Dialect::Sqlite, read, write, file: Some(full), name }) })
}

async fn open_postgres(url: &str) -> Result<Store> {
    let options = connect_options(url)?;
    let name = without_password(url);
    let cannot = |error: sqlx::Error| StoreError::Open {
        what: name.clone(),
        why: format!("{error}; check that PostgreSQL runs there and that user, password and database are right"),
    };
    let pool = pool(options, 16, POSTGRES_SETUP).await.map_err(cannot)?;
    migrate(&pool, Dialect::Postgres, &name).await?;
    let inner = Inner { dialect: Dialect::Postgres, read: pool.clone(), write: pool, file: None, name };
    Ok(Store { inner: Arc::new(inner) })
}

fn connect_options(url: &str) -> Result<AnyConnectOptions> {
    let options = AnyConnectOptions::from_str(url).map_err(|error| bad_url(url, &error.to_string()))?;
    // Statements carry phone numbers; the store logs what matters by itself.
    Ok(options.disable_statement_logging())
}

async fn pool(options: AnyConnectOptions, most: u32, setup: &'static str) -> sqlx::Result<AnyPool> {
    AnyPoolOptions::new()
        .max_connections(most)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(setup).await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await
}

fn sqlite_file(url: &str) -> Result<PathBuf> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or_default();
    if path.is_empty() || path == ":memory:" {
        return Err(bad_url(url, "it must name a file"));
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| bad_url(url, "the path is not UTF-8"))?;
    Ok(PathBuf::from(path.into_owned()))
}

fn make_folder(file: &Path) -> std::result::Result<(), String> {
    if file.is_dir() {
        return Err("it is a folder; name a file in it".to_owned());
    }
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder).map_err(|error| {
            format!("its folder {} cannot be made: {error}; make it or change database.url", folder.display())
        }),
        _ => Ok(()),
    }
}

/// The file holds password hashes and people's numbers: nobody else on the machine needs to read it. Best effort: on
/// a file system without rights there is nothing to set.
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Err(error) = std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(file = %file.display(), %error, "rights of the database file could not be narrowed");
    }
}

fn bad_url(url: &str, why: &str) -> StoreError {
    StoreError::BadUrl { url: without_password(url), why: why.to_owned() }
}

/// `postgres://user:secret@host/db` -> `postgres://user@host/db`; parameters go too, they can hold a password.
fn without_password(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        None => url.to_owned(),
    }
}
