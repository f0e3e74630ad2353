//! Makes Asterisk fetch sounds before they are played to anybody: they are played in a bridge in which nobody is.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::shell::voice::Wish;

use super::rest::{HttpRequest, Rest, RestError};

/// The bridges' names, with a number behind: no call's bridge is called so. No number comes twice: for a moment after it
/// was removed Asterisk still takes a bridge's name for the old one, and then plays nothing.
const BRIDGE: &str = "perezvon-fetch";
/// Sounds at once. Each has its own bridge: in one, Asterisk plays a single sound.
const AT_ONCE: usize = 8;
/// Between two looks whether a sound has ended.
const LOOK: Duration = Duration::from_millis(250);
/// A sound that ends so much too early was not fetched. Looks come late, and Asterisk begins a moment early.
const TOO_EARLY: Duration = Duration::from_millis(400);
/// A sound that has not ended by then, counted from its length, never will.
const TOO_LATE: Duration = Duration::from_secs(10);

/// Serves wishes until `cancel`.
pub(super) async fn run(rest: Rest, mut wishes: mpsc::Receiver<Wish>, cancel: CancellationToken) {
    let mut together = Vec::with_capacity(AT_ONCE);
    let mut begun = 0_u64;
    while let Some(1..) = cancel.run_until_cancelled(wishes.recv_many(&mut together, AT_ONCE)).await {
        let numbers = begun..;
        begun = begun.saturating_add(u64::try_from(together.len()).unwrap_or(u64::MAX));
        let fetching = numbers.zip(together.drain(..)).map(async |(number, wish): (u64, Wish)| {
            let name = format!("{BRIDGE}-{number}");
            let there = fetch(&rest, &name, &wish).await.unwrap_or_else(|error| {
                warn!(url = wish.url, %error, "Asterisk did not fetch a sentence: callers hear the shipped sounds");
                false
            });
            wish.fetched(there);
        });
        join_all(fetching).await;
    }
}

async fn fetch(rest: &Rest, bridge: &str, wish: &Wish) -> Result<bool, RestError> {
    match rest.send(&HttpRequest::post(&["bridges", bridge]).json(&json!({ "type": "mixing" }))).await {
        Ok(_) | Err(RestError::Status { status: 409, .. }) => {}
        Err(error) => return Err(error),
    }
    let played = play(rest, bridge, wish).await;
    if let Err(error) = rest.send(&HttpRequest::delete(&["bridges", bridge])).await {
        debug!(%error, "the bridge for fetching a sound could not be removed");
    }
    played
}

/// Plays it to the end; false when it ended at once: there was nothing to play.
async fn play(rest: &Rest, bridge: &str, wish: &Wish) -> Result<bool, RestError> {
    let media = format!("sound:{}", wish.url);
    let begun = Instant::now();
    // The playback is called as its bridge.
    rest.send(&HttpRequest::post(&["bridges", bridge, "play", bridge]).json(&json!({ "media": media }))).await?;
    loop {
        sleep(LOOK).await;
        match rest.send(&HttpRequest::get(&["playbacks", bridge])).await {
            Err(RestError::Status { status: 404, .. }) => {
                let there = begun.elapsed() + TOO_EARLY > wish.length;
                if !there {
                    warn!(
                        url = wish.url,
                        "Asterisk could not fetch a sentence: can it reach the engine's web address?"
                    );
                }
                return Ok(there);
            }
            Ok(_) if begun.elapsed() > wish.length + TOO_LATE => {
                rest.send(&HttpRequest::delete(&["playbacks", bridge])).await?;
                return Ok(false);
            }
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Answer, Fake, PATIENCE};
    use super::*;

    /// Asks an Asterisk, in which a sound lasts so long, to fetch one; tells whether it did.
    async fn fetched(lasts: Duration, length: Duration) -> bool {
        let mut fake = Fake::start().await;
        let mut begun = None;
        fake.answer(move |request| {
            if request.starts_with("POST /bridges/perezvon-fetch-0/play/") {
                begun = Some(Instant::now());
            }
            let ended = begun.is_some_and(|begun: Instant| begun.elapsed() > lasts);
            (request.starts_with("GET /playbacks/") && ended).then(|| Answer::refusal(404, "Playback not found"))
        });
        let (wishes, inbox) = mpsc::channel(1);
        let cancel = CancellationToken::new();
        tokio::spawn(run(Rest::new(&fake.config).unwrap(), inbox, cancel.clone()));
        let (wish, told) = Wish::new("http://engine/sounds/cache/x.wav".to_owned(), length);
        wishes.send(wish).await.unwrap();
        let there = tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
        assert!(fake.request("POST /bridges").await.starts_with("POST /bridges/perezvon-fetch-0 {"));
        assert_eq!(fake.request("DELETE /bridges").await, "DELETE /bridges/perezvon-fetch-0");
        cancel.cancel();
        there
    }

    #[tokio::test]
    async fn a_sound_that_was_played_to_its_end_was_fetched() {
        assert!(fetched(Duration::from_millis(900), Duration::from_millis(1000)).await);
    }

    #[tokio::test]
    async fn no_bridge_is_called_as_the_one_before() {
        let mut fake = Fake::start().await;
        fake.answer(|request| {
            request.starts_with("GET /playbacks/").then(|| Answer::refusal(404, "Playback not found"))
        });
        let (wishes, inbox) = mpsc::channel(1);
        tokio::spawn(run(Rest::new(&fake.config).unwrap(), inbox, CancellationToken::new()));
        for number in 0..3 {
            let (wish, told) = Wish::new("http://engine/sounds/cache/x.wav".to_owned(), Duration::ZERO);
            wishes.send(wish).await.unwrap();
            let made = fake.request("POST /bridges").await;
            assert!(made.starts_with(&format!("POST /bridges/perezvon-fetch-{number} {{")), "{made}");
            tokio::time::timeout(PATIENCE, told).await.unwrap().unwrap();
            fake.request("DELETE /bridges").await;
        }
    }

    #[tokio::test]
    async fn a_sound_that_ends_at_once_was_not() {
        assert!(!fetched(Duration::ZERO, Duration::from_secs(3)).await);
    }
}
