//! What was said: the list of recordings that wait for the recogniser, the words that it found, and the index by which
//! talks are found by what was said in them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::search::fold;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::many::records;
use super::table::Value;
use super::{Columns as _, Result, Sql, Store};

/// Longer words are found by so many first letters: endings do not matter.
const STEM: usize = 5;
/// Different words of one talk in the index; more is no talk.
const MOST_WORDS: usize = 20_000;
/// Rows that are written at once.
const AT_ONCE: usize = 2_000;
/// Attempts before a recording is given up.
pub const MOST_ATTEMPTS: i64 = 5;

/// A word as it was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// Where it begins, milliseconds from the recording's beginning.
    pub from_ms: u64,
    /// Where it ends.
    pub to_ms: u64,
    /// 0: the caller (left); 1: the agent (right).
    pub channel: u16,
    /// The word.
    pub text: String,
    /// How sure the recogniser is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
}

/// How the transcript of a recording stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TranscriptRow {
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it was not done.
    pub problem: String,
    /// What was said, in the order of time.
    pub words: Vec<Spoken>,
}

/// A recording to be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptJob {
    /// Which.
    pub recording: i64,
    /// Of which call.
    pub call: CallId,
    /// Its file in the archive.
    pub path: String,
    /// This is the attempt of that number, from 1.
    pub attempt: i64,
}

/// Words as they stand in the index.
pub(super) fn stems(text: &str) -> BTreeSet<String> {
    fold(text).split(' ').filter(|word| !word.is_empty()).map(|word| word.chars().take(STEM).collect()).collect()
}

impl Store {
    /// Puts recordings that were stored since then and have a file on the list; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_transcripts(&self, since: Wall, now: Wall) -> Result<u64> {
        let sql = Sql::new(
            "INSERT INTO transcripts (recording, call, state, attempts, due_at, problem, words, changed_at) \
             SELECT r.id, r.call, 'waiting', 0, $2, '', '', $2 FROM recordings r WHERE r.stored_at >= $1 \
             AND r.path IS NOT NULL AND r.state <> 'erased' \
             AND NOT EXISTS (SELECT 1 FROM transcripts t WHERE t.recording = r.id) ORDER BY r.stored_at LIMIT 1000",
        );
        self.execute(sql.with(since.0).with(now.0)).await
    }

    /// Those that a process that was killed had in hand wait again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn transcripts_left(&self, now: Wall) -> Result<u64> {
        let sql = "UPDATE transcripts SET state = 'waiting', due_at = $1, changed_at = $1 WHERE state = 'running'";
        self.execute(Sql::new(sql).with(now.0)).await
    }

    /// Takes the one that has waited longest, if one is due.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_transcript(&self, now: Wall) -> Result<Option<TranscriptJob>> {
        let sql = Sql::new(
            "UPDATE transcripts SET state = 'running', attempts = attempts + 1, changed_at = $1 WHERE recording = \
             (SELECT recording FROM transcripts WHERE state = 'waiting' AND due_at <= $1 ORDER BY due_at, recording LIMIT 1) \
             RETURNING recording, attempts",
        );
        let rows = self.write_returning(sql.with(now.0)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (recording, attempt) = (row.int("recording")?, row.int("attempts")?);
        let kept = self.get_recording(recording).await?.and_then(|row| Some((row.call, row.file?)));
        match kept {
            Some((call, file)) => Ok(Some(TranscriptJob { recording, call, path: file.path, attempt })),
            None => {
                // Erased or gone meanwhile: there is nothing to recognise.
                self.execute(Sql::new("DELETE FROM transcripts WHERE recording = $1").with(recording)).await?;
                Ok(None)
            }
        }
    }

    /// Keeps what was said, and makes it searchable; not of a recording that was erased meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_transcript(&self, recording: i64, words: &[Spoken], now: Wall) -> Result<()> {
        let mut tx = self.begin().await?;
        let known = Sql::new(
            "UPDATE transcripts SET state = 'done', problem = '', words = $2, changed_at = $3 WHERE recording = $1 \
             AND EXISTS (SELECT 1 FROM recordings r WHERE r.id = $1 AND r.state <> 'erased')",
        );
        if tx.execute(known.with(recording).with(json(&words)?).with(now.0)).await? == 0 {
            return tx.commit().await;
        }
        tx.execute(Sql::new("DELETE FROM transcript_index WHERE recording = $1").with(recording)).await?;
        let mut all = BTreeSet::new();
        for word in words {
            all.extend(stems(&word.text));
        }
        let all: Vec<_> = all.into_iter().take(MOST_WORDS).collect();
        for portion in all.chunks(AT_ONCE) {
            let text = format!(
                "INSERT INTO transcript_index (word, call, recording) SELECT r.word, t.call, t.recording FROM {} \
                 CROSS JOIN transcripts t WHERE t.recording = $2",
                records(self.dialect(), "transcript_index", "word")
            );
            let words: Vec<_> = portion.iter().map(|word| [Value::Text(word.clone())]).collect();
            let sql = Sql::new(text).with_records("word", &words).with(recording);
            tx.execute(sql).await?;
        }
        tx.commit().await
    }

    /// It was not done: it waits for so long and is tried again, or is given up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn transcript_failed(
        &self,
        job: &TranscriptJob,
        problem: &str,
        pause: Duration,
        now: Wall,
    ) -> Result<()> {
        let state = if job.attempt >= MOST_ATTEMPTS { "failed" } else { "waiting" };
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let sql = "UPDATE transcripts SET state = $2, problem = $3, due_at = $4, changed_at = $5 WHERE recording = $1";
        let sql = Sql::new(sql).with(job.recording).with(state.to_owned()).with(problem.to_owned());
        self.execute(sql.with(now.0.saturating_add(pause)).with(now.0)).await.map(drop)
    }

    /// How the transcript of a recording stands; none: it is not on the list.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn transcript_of(&self, recording: i64) -> Result<Option<TranscriptRow>> {
        let sql = Sql::new("SELECT state, attempts, problem, words FROM transcripts WHERE recording = $1");
        let Some(row) = self.row(sql.with(recording)).await? else { return Ok(None) };
        let words = row.text("words")?;
        let words = if words.is_empty() { Vec::new() } else { from_json(&words)? };
        Ok(Some(TranscriptRow {
            state: row.text("state")?,
            attempts: row.int("attempts")?,
            problem: row.text("problem")?,
            words,
        }))
    }
}

impl super::Tx {
    /// What people and programs wrote down of a recording goes with its sound.
    pub(super) async fn erase_words_of(&mut self, recording: i64) -> Result<()> {
        for table in ["recording_marks", "recording_peaks", "transcript_index", "transcripts"] {
            self.execute(Sql::new(format!("DELETE FROM {table} WHERE recording = $1")).with(recording)).await?;
        }
        let sql = "UPDATE recording_shares SET revoked_at = expires_at, reason = '' WHERE recording = $1";
        self.execute(Sql::new(sql).with(recording)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording_search::RecordingFilter;
    use super::super::recordings::tests::stored;
    use super::super::testing::on_both;
    use super::*;

    fn word(at: u64, text: &str) -> Spoken {
        Spoken { from_ms: at, to_ms: at + 100, channel: 0, text: text.into(), confidence: Some(0.5) }
    }

    #[tokio::test]
    async fn recordings_wait_for_the_recogniser_and_are_found_by_what_was_said() {
        on_both(async |t| {
            let s = &t.store;
            let (one, two) = (s.save_recording(stored(1)).await.unwrap(), s.save_recording(stored(2)).await.unwrap());
            assert_eq!(s.queue_transcripts(Wall(0), Wall(10)).await.unwrap(), 2);
            assert_eq!(s.queue_transcripts(Wall(0), Wall(11)).await.unwrap(), 0);
            let job = s.take_transcript(Wall(10)).await.unwrap().unwrap();
            assert_eq!((job.recording, job.attempt), (one, 1));
            s.transcript_failed(&job, "broken", Duration::from_millis(50), Wall(10)).await.unwrap();
            let other = s.take_transcript(Wall(10)).await.unwrap().unwrap();
            assert_eq!((other.recording, s.take_transcript(Wall(59)).await.unwrap()), (two, None));
            // Killed in between.
            assert_eq!(s.transcripts_left(Wall(60)).await.unwrap(), 1);
            let again = s.take_transcript(Wall(60)).await.unwrap().unwrap();
            assert_eq!((again.recording, again.attempt), (one, 2));
            let words = [word(0, "Жалоба"), word(200, "на"), word(300, "водителя,")];
            s.keep_transcript(one, &words, Wall(70)).await.unwrap();
            let kept = s.transcript_of(one).await.unwrap().unwrap();
            assert_eq!((kept.state.as_str(), kept.words.as_slice()), ("done", &words[..]));
            s.keep_transcript(two, &[word(0, "водитель")], Wall(70)).await.unwrap();
            for (text, ids) in
                [("водителю", vec![two, one]), ("жалобу водитель", vec![one]), ("на", vec![one]), ("спасибо", vec![])]
            {
                let filter = RecordingFilter { text: Some(text.to_owned()), ..RecordingFilter::default() };
                let page = s.list_recordings(&filter, None, 9).await.unwrap();
                assert_eq!(page.items.iter().map(|row| row.id).collect::<Vec<_>>(), ids, "{text}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn after_so_many_failures_a_recording_is_given_up() {
        on_both(async |t| {
            let id = t.store.save_recording(stored(1)).await.unwrap();
            t.store.queue_transcripts(Wall(0), Wall(1)).await.unwrap();
            for attempt in 1..=MOST_ATTEMPTS {
                let job = t.store.take_transcript(Wall(attempt)).await.unwrap().unwrap();
                t.store.transcript_failed(&job, "broken", Duration::ZERO, Wall(attempt)).await.unwrap();
            }
            assert_eq!(t.store.take_transcript(Wall(99)).await.unwrap(), None);
            assert_eq!(t.store.transcript_of(id).await.unwrap().unwrap().state, "failed");
        })
        .await;
    }
}
