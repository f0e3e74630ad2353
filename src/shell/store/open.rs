//! Opening the database by its URL.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::Notify;

use super::aside::Aside;
use super::error::{Result, StoreError};
use super::schema::{Dialect, migrate};
use super::{Inner, Store};

/// What would end the path in a URL.
const IN_PATH: &AsciiSet = &CONTROLS.add(b'?').add(b'#').add(b'%').add(b' ');

/// Time to get a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// WAL: readers never wait for the writer. FULL: what was confirmed survives a power cut; writes come in batches, so
/// it costs one flush for hundreds of facts. A schema that somebody tampered with may not run functions.
const SQLITE_SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 4000; \
     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; \
     PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";

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
        let store = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await?,
            Some("postgres" | "postgresql") => open_postgres(url).await?,
            _ => return Err(bad_url(url, "it must begin with sqlite:// or postgres://")),
        };
        store.finish_client_search().await?;
        Ok(store)
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
    let write = pool(options.clone(), 1, SQLITE_SETUP, false).await.map_err(cannot)?;
    // One flush for all steps instead of several for each. Cut short in between, the file is as whole as before: the
    // write-ahead log is read up to the last whole step.
    write.execute("PRAGMA synchronous = NORMAL").await.map_err(cannot)?;
    migrate(&write, Dialect::Sqlite, &name).await?;
    write.execute("PRAGMA synchronous = FULL").await.map_err(cannot)?;
    let aside = Some(Aside::new(options.clone(), SQLITE_SETUP));
    let read = pool(options, 6, SQLITE_SETUP, false).await.map_err(cannot)?;
    private(&full);
    Ok(Store {
        inner: Arc::new(Inner {
            dialect: Dialect::Sqlite,
            read,
            write,
            aside,
            file: Some(full),
            name,
            listener: OnceLock::new(),
            order_listener: OnceLock::new(),
            callback_listener: OnceLock::new(),
            callbacks_missed: AtomicBool::new(false),
            callbacks_exhausted: Notify::new(),
            announcing: RwLock::default(),
            sms_queued: Notify::new(),
        }),
    })
}

async fn open_postgres(url: &str) -> Result<Store> {
    let options = connect_options(url)?;
    let name = without_password(url);
    let cannot = |error: sqlx::Error| StoreError::Open {
        what: name.clone(),
        why: format!("{error}; check that PostgreSQL runs there and that user, password and database are right"),
    };
    let pool = pool(options, 16, POSTGRES_SETUP, true).await.map_err(cannot)?;
    migrate(&pool, Dialect::Postgres, &name).await?;
    let inner = Inner {
        dialect: Dialect::Postgres,
        read: pool.clone(),
        write: pool,
        aside: None,
        file: None,
        name,
        listener: OnceLock::new(),
        order_listener: OnceLock::new(),
        callback_listener: OnceLock::new(),
        callbacks_missed: AtomicBool::new(false),
        callbacks_exhausted: Notify::new(),
        announcing: RwLock::default(),
        sms_queued: Notify::new(),
    };
    Ok(Store { inner: Arc::new(inner) })
}

fn connect_options(url: &str) -> Result<AnyConnectOptions> {
    let options = AnyConnectOptions::from_str(url).map_err(|error| bad_url(url, &error.to_string()))?;
    // Statements carry phone numbers; the store logs what matters by itself.
    Ok(options.disable_statement_logging())
}

async fn pool(options: AnyConnectOptions, most: u32, setup: &'static str, is_server: bool) -> sqlx::Result<AnyPool> {
    // The pool tries again and again and then only tells that time is up: this tells the reason.
    tokio::time::timeout(CONNECT, async {
        let mut first = options.connect().await?;
        first.execute(setup).await?;
        first.close().await
    })
    .await
    .map_err(|_| sqlx::Error::PoolTimedOut)??;
    AnyPoolOptions::new()
        // A server may have closed a connection that nobody used; a file has not.
        .test_before_acquire(is_server)
        .max_connections(most)
        .min_connections(1)
        .acquire_timeout(CONNECT)
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

#[cfg(test)]
mod tests {
    use super::super::testing::{on_both, sqlite};
    use super::*;

    async fn refused(url: &str) -> String {
        match Store::open(url).await {
            Ok(_) => panic!("{url} was opened"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_url_that_is_of_no_use_is_refused_with_what_to_write_and_without_the_password() {
        for url in ["", "perezvon.db", "mysql://root:secret@host/db", "sqlite://", "sqlite::memory:"] {
            let text = refused(url).await;
            assert!(text.contains("write sqlite://FILE or postgres://") && !text.contains("secret"), "{text}");
        }
        let text = refused("postgres://user:secret@127.0.0.1:1/db?password=secret").await;
        assert!(
            text.contains("postgres://user@127.0.0.1:1/db") && text.contains("check that PostgreSQL runs"),
            "{text}"
        );
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let text = refused(&format!("sqlite://{}", folder.path().display())).await;
        assert!(text.contains("it is a folder"), "{text}");
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let text = refused(&format!("sqlite://{}/file/x.db", folder.path().display())).await;
        assert!(text.contains("cannot be made"), "{text}");
        std::fs::write(folder.path().join("text.db"), "not a database at all, and long enough to be read".repeat(99))
            .unwrap();
        let text = refused(&format!("sqlite://{}/text.db", folder.path().display())).await;
        assert!(text.contains("file is not a database"), "{text}");
    }

    #[tokio::test]
    async fn folders_are_made_and_a_path_may_have_any_letters() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("журнал 1/дом %3F/perezvon.db");
        let url = format!("sqlite://{}", file.display().to_string().replace("%3F", "%253F"));
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.file(), Some(file.as_path()));
        let rights = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
        store.close().await;
    }

    #[tokio::test]
    async fn a_database_is_opened_again_with_what_was_in_it() {
        on_both(async |t| {
            t.store.block_number("101", "", "", crate::engine::time::Wall(1)).await.unwrap();
            t.store.close().await;
            let again = Store::open(&t.url).await.unwrap();
            again.ping().await.unwrap();
            assert!(again.load_caller("101").await.unwrap().blocked);
            let space = again.space().await.unwrap();
            assert!(space.used > 10_000 && space.free != Some(0), "{space:?}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_not_touched() {
        let t = sqlite().await;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'later', 1, x'00', 1)";
        t.store.execute(super::super::Sql::new(newer)).await.unwrap();
        let text = refused(&t.url).await;
        assert!(text.contains("newer version of this program"), "{text}");
    }
}
