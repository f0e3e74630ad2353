//! Both databases, one after the other, empty.

/// Runs it on SQLite and, where `PEREZVON_TEST_POSTGRES` names one, on PostgreSQL in a schema of its own. It is given the
/// database's name and URL.
pub fn on_both(run: impl AsyncFn(&'static str, &str)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    runtime.block_on(run("sqlite", &format!("sqlite://{}/bench.db", folder.path().display())));
    drop(folder);
    match std::env::var("PEREZVON_TEST_POSTGRES") {
        Ok(base) => runtime.block_on(async {
            let schema = format!("bench{}", std::process::id());
            statements(&base, &[format!("CREATE SCHEMA {schema}")]).await;
            let joint = if base.contains('?') { '&' } else { '?' };
            run("postgres", &format!("{base}{joint}options[search_path]={schema}")).await;
            statements(&base, &[format!("DROP SCHEMA {schema} CASCADE")]).await;
        }),
        Err(_) => println!("# PostgreSQL is not measured: PEREZVON_TEST_POSTGRES names none"),
    }
}

/// Executes statements of the benchmark's own.
pub async fn statements(url: &str, statements: &[String]) {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(url).await.expect("the database answers");
    for sql in statements {
        sqlx::query(sql).execute(&pool).await.expect("the statement is done");
    }
    pool.close().await;
}
