//! Where the journal goes while the database is away: a file of lines, appended to and flushed to the disk, read back
//! from its beginning, emptied when all of it is in the database. Beside it, what the database refused for good.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{self, AsyncBufReadExt as _, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufReader};

use super::change::Change;
use super::facts::Rejected;

/// A line longer than this was not written by us.
const LONGEST_LINE: u64 = 4 << 20;

/// The file.
pub(super) struct Spill {
    path: PathBuf,
    file: File,
    /// Read and written to the database up to here.
    read: u64,
    /// End of what was appended whole.
    end: u64,
}

/// What was read back.
pub(super) struct Chunk {
    pub(super) changes: Vec<Change>,
    /// Lines that are none of ours: torn by a crash, or edited.
    pub(super) unreadable: Vec<String>,
    next: u64,
}

impl Spill {
    /// Opens the file, making it where it is missing. What an earlier run left in it is there to be read.
    pub(super) async fn open(path: &Path) -> io::Result<Spill> {
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        let mut file = options().open(path).await?;
        let mut end = file.metadata().await?.len();
        if end > 0 {
            // A crash may have torn the last line: it must not swallow the next one.
            let mut reader = OpenOptions::new().read(true).open(path).await?;
            reader.seek(SeekFrom::End(-1)).await?;
            if reader.read_u8().await? != b'\n' {
                file.write_all(b"\n").await?;
                file.flush().await?;
                end += 1;
            }
        }
        Ok(Spill { path: path.to_owned(), file, read: 0, end })
    }

    /// Bytes that wait for the database.
    pub(super) fn pending(&self) -> u64 {
        self.end.saturating_sub(self.read)
    }

    /// Adds changes; they are on the disk when this returns. What was written half is taken back.
    pub(super) async fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut text = String::new();
        for change in changes {
            text.push_str(&change.line());
            text.push('\n');
        }
        match write_through(&mut self.file, text.as_bytes()).await {
            Ok(()) => {
                self.end += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.file.set_len(self.end).await?;
                Err(error)
            }
        }
    }

    /// Reads the next lines; [`done`](Self::done) moves on.
    pub(super) async fn next(&self, most: usize) -> io::Result<Chunk> {
        let mut file = OpenOptions::new().read(true).open(&self.path).await?;
        file.seek(SeekFrom::Start(self.read)).await?;
        let mut reader = BufReader::new(file);
        let mut chunk = Chunk { changes: Vec::new(), unreadable: Vec::new(), next: self.read };
        let mut line = Vec::new();
        while chunk.changes.len() + chunk.unreadable.len() < most && chunk.next < self.end {
            line.clear();
            let read = (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
            if read == 0 {
                break;
            }
            chunk.next += read as u64;
            let text = String::from_utf8_lossy(&line);
            match Change::parse(text.trim_end()) {
                Some(change) => chunk.changes.push(change),
                None if text.trim().is_empty() => {}
                None => chunk.unreadable.push(text.trim_end().to_owned()),
            }
        }
        Ok(chunk)
    }

    /// The chunk is in the database. When nothing is left the file is emptied.
    pub(super) async fn done(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.read = chunk.next;
        if self.pending() == 0 {
            self.file.set_len(0).await?;
            self.read = 0;
            self.end = 0;
        }
        Ok(())
    }

    /// Keeps what cannot be written for a person to look at.
    pub(super) async fn keep_rejected(&self, rejected: &[Rejected]) -> io::Result<()> {
        let mut file = options().open(self.rejected_path()).await?;
        let text: String =
            rejected.iter().map(|one| format!("{}\t{}\n", one.why.replace('\n', " "), one.change)).collect();
        write_through(&mut file, text.as_bytes()).await
    }

    /// Where [`keep_rejected`](Self::keep_rejected) writes.
    pub(super) fn rejected_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".rejected");
        path.into()
    }
}

/// Nobody else on the machine needs to read people's numbers.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options
}

async fn write_through(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes).await?;
    file.flush().await?;
    file.sync_data().await
}

#[cfg(test)]
mod tests {
    use super::super::change::Alive;
    use super::*;

    fn change(at: i64) -> Change {
        Change::Alive(Alive { node: 0, calls: vec![1, 2], at })
    }

    #[tokio::test]
    async fn what_is_appended_is_read_back_in_order_by_a_later_run_and_then_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/spill");
        Spill::open(&path).await.unwrap().append(&[change(1), change(2), change(3)]).await.unwrap();
        let mut spill = Spill::open(&path).await.unwrap();
        let chunk = spill.next(2).await.unwrap();
        assert_eq!(chunk.changes, [change(1), change(2)]);
        spill.done(&chunk).await.unwrap();
        spill.append(&[change(4)]).await.unwrap();
        let chunk = spill.next(9).await.unwrap();
        assert_eq!(chunk.changes, [change(3), change(4)]);
        spill.done(&chunk).await.unwrap();
        assert_eq!((spill.pending(), std::fs::metadata(&path).unwrap().len()), (0, 0));
        spill.append(&[change(5)]).await.unwrap();
        assert_eq!(spill.next(9).await.unwrap().changes, [change(5)]);
    }

    #[tokio::test]
    async fn a_line_torn_by_a_crash_does_not_take_others_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spill");
        let whole = change(1).line();
        std::fs::write(&path, format!("{whole}\n{}", &whole[..9])).unwrap();
        let mut spill = Spill::open(&path).await.unwrap();
        spill.append(&[change(2)]).await.unwrap();
        let chunk = spill.next(9).await.unwrap();
        assert_eq!(chunk.changes, [change(1), change(2)]);
        assert_eq!(chunk.unreadable, [&whole[..9]]);
    }
}
