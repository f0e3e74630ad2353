//! Both databases for the tests of this module, each test with tables of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Store;

/// Where PostgreSQL is; each test makes a schema there.
pub(super) const POSTGRES: &str = "PEREZVON_TEST_POSTGRES";

/// A store of a test; its folder or schema goes with it.
pub(super) struct TestStore {
    pub(super) store: Store,
    pub(super) folder: tempfile::TempDir,
    pub(super) url: String,
}

/// A fresh SQLite.
pub(super) async fn sqlite() -> TestStore {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}/test.db", folder.path().display());
    TestStore { store: Store::open(&url).await.expect("SQLite opens"), folder, url }
}

/// A fresh schema of PostgreSQL. Without one configured the test says that it is skipped; in CI it fails, since a
/// check that cannot fail is none.
pub(super) async fn postgres() -> Option<TestStore> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(base) = std::env::var(POSTGRES) else {
        assert!(std::env::var_os("CI").is_none(), "{POSTGRES} must name a PostgreSQL in CI");
        eprintln!("SKIPPED on PostgreSQL: set {POSTGRES}=postgres://USER@HOST/DATABASE to run it");
        return None;
    };
    let schema = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let admin = sqlx::AnyPool::connect(&base).await.expect("PostgreSQL of the tests answers");
    for sql in [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")] {
        sqlx::query(&sql).execute(&admin).await.expect("a schema of its own");
    }
    admin.close().await;
    let joint = if base.contains('?') { '&' } else { '?' };
    let url = format!("{base}{joint}options[search_path]={schema}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    Some(TestStore { store: Store::open(&url).await.expect("PostgreSQL opens"), folder, url })
}

/// Runs a test on both databases.
pub(super) async fn on_both(test: impl AsyncFn(TestStore)) {
    test(sqlite().await).await;
    if let Some(postgres) = postgres().await {
        test(postgres).await;
    }
}
