//! A PostgreSQL database for one test.

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::api::runtime;

pub struct Database {
    server: String,
    name: String,
    /// Where it is.
    pub url: String,
}

impl Database {
    /// A new database on the server named by `PEREZVON_TEST_POSTGRES`; none when there is no server, which is an error
    /// where all tests must run.
    pub fn new() -> Option<Database> {
        let Ok(server) = std::env::var("PEREZVON_TEST_POSTGRES") else {
            assert!(std::env::var_os("CI").is_none(), "PEREZVON_TEST_POSTGRES is not set: run deploy/test");
            eprintln!("skipped: PEREZVON_TEST_POSTGRES is not set");
            return None;
        };
        let name = format!("e2e_{}", std::process::id());
        execute(&server, &format!("DROP DATABASE IF EXISTS {name}"));
        execute(&server, &format!("CREATE DATABASE {name}"));
        let (before, _) = server.rsplit_once('/').expect("postgres://…/database");
        let url = format!("{before}/{name}");
        Some(Database { server, name, url })
    }
}

fn execute(server: &str, statement: &str) {
    runtime().block_on(async {
        let mut connection = PgConnection::connect(server).await.expect("PostgreSQL");
        connection.execute(statement).await.unwrap_or_else(|cause| panic!("{statement}: {cause}"));
    });
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            execute(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
