//! Passwords: Argon2id, off the worker threads, a few at a time (each takes 19 MiB and tens of milliseconds).

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use rand::RngCore as _;
use tokio::sync::Semaphore;

/// Shorter ones are guessed.
const SHORTEST: usize = 8;
/// Longer ones are a way to make us work.
const LONGEST: usize = 1024;
/// How long a log-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// Hashes at once.
const AT_ONCE: usize = 2;
/// Log-ins waiting at once; more are turned away.
const WAITING: usize = 64;

/// Why a password was not taken or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or long.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// Too many at once.
    #[error("too many log-ins at once; try again in a moment")]
    Busy,
    /// The library failed.
    #[error("the password could not be hashed: {0}")]
    Failed(String),
}

/// Makes a hash for the database. Takes a while: not for a worker thread.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(PasswordError::Length);
    }
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let failed = |cause: argon2::password_hash::Error| PasswordError::Failed(cause.to_string());
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

/// Does this password belong to this hash? Takes a while: not for a worker thread.
#[must_use]
pub fn fits(password: &str, hash: &str) -> bool {
    match PasswordHash::new(hash) {
        Ok(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Err(cause) => {
            tracing::error!(%cause, "a password hash in the database cannot be read; set the password anew");
            false
        }
    }
}

/// Does the work off the worker threads, in turns.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// Checked when the login does not exist, so that the time does not tell. Made with the library's present defaults.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGVyZXp2b24gbm9ib2R5IQ$8LPyYPWv5W8GSU/EWKxowDe+VO38V4FQCQmWYU8be9U";

impl Default for Passwords {
    fn default() -> Self {
        Passwords { turns: Arc::new(Semaphore::new(AT_ONCE)), places: Arc::new(Semaphore::new(WAITING)) }
    }
}

impl Passwords {
    /// [`hash`], in turn.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.in_turn(move || hash(&password)).await?
    }

    /// [`fits`], in turn; without a hash it takes as long and says no.
    pub async fn fits(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        self.in_turn(move || match hash {
            Some(hash) => password.len() <= LONGEST && fits(&password, &hash),
            None => {
                let _ = fits(&password, NOBODY);
                false
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
        let _place = self.places.try_acquire().map_err(|_| PasswordError::Busy)?;
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PasswordError::Busy) };
        // The turn goes with the work: a client that hangs up does not make room for more work at once.
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        work.await.map_err(|cause| PasswordError::Failed(cause.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let hash = hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(fits("correct horse", &hash));
        assert!(!fits("correct horsf", &hash));
        assert!(!fits("", "not a hash"));
    }

    #[test]
    fn short_and_huge_passwords_are_refused() {
        assert!(matches!(hash("short"), Err(PasswordError::Length)));
        assert!(matches!(hash(&"x".repeat(LONGEST + 1)), Err(PasswordError::Length)));
        assert!(hash("восемь!!").is_ok());
    }

    #[tokio::test]
    async fn an_unknown_login_fits_nothing() {
        let passwords = Passwords::default();
        assert!(fits("nobody has this password", NOBODY), "it takes as long as a real one");
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(NOBODY), parameters(&hash("correct horse").unwrap()));
        assert!(!passwords.fits("nobody has this password".to_owned(), None).await.unwrap());
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(passwords.fits("correct horse".to_owned(), Some(hash)).await.unwrap());
    }
}
