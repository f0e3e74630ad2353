//! A sound sent to a player, whole or a part of it, from wherever and however it is kept.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use crate::shell::recordings::format::Seekable;
use crate::shell::recordings::vault::Sound;

use super::problem::Problem;
use super::range::{self, Part};

/// Read and sent at once: eight seconds of talk.
const PIECE: usize = 256 << 10;

/// What of the sound is sent.
pub(super) struct Answer {
    sound: Sound,
    status: StatusCode,
    from: u64,
    length: u64,
}

/// What is asked for; a response at once where there is nothing to send.
pub(super) fn wanted(sound: Sound, headers: &HeaderMap) -> Result<Answer, Box<Response>> {
    let size = sound.bytes;
    match range::wanted(headers.get(header::RANGE), size) {
        Part::Whole => Ok(Answer { sound, status: StatusCode::OK, from: 0, length: size }),
        Part::Some { from, length } => Ok(Answer { sound, status: StatusCode::PARTIAL_CONTENT, from, length }),
        Part::Nothing => Err(Box::new(unsatisfiable(size))),
    }
}

impl Answer {
    /// The response. The tag names the sound in this form.
    pub(super) fn send(self, tag: &str) -> Response {
        let Answer { sound: Sound { reader, bytes: size, format }, status, from, length } = self;
        let parts = stream::try_unfold((Some(reader), from, length), |(reader, from, left)| async move {
            let Some(reader) = reader.filter(|_| left > 0) else { return Ok(None) };
            // Held by no thread while the client takes its time.
            let read = tokio::task::spawn_blocking(move || piece(reader, from, left)).await;
            let (reader, piece) = read.map_err(io::Error::other)??;
            let length = piece.len() as u64;
            Ok::<_, io::Error>(Some((piece, (Some(reader), from + length, left - length))))
        });
        let mut response = (status, Body::from_stream(parts)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.mime()));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
            headers.insert(header::ETAG, tag);
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let last = from + length.saturating_sub(1);
            if let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{last}/{size}")) {
                headers.insert(header::CONTENT_RANGE, range);
            }
        }
        response
    }
}

fn piece(mut reader: Box<dyn Seekable>, from: u64, left: u64) -> io::Result<(Box<dyn Seekable>, Bytes)> {
    reader.seek(SeekFrom::Start(from))?;
    let wanted = left.min(PIECE as u64);
    let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or(PIECE));
    (&mut reader).take(wanted).read_to_end(&mut piece)?;
    if piece.is_empty() {
        // The length was promised: an answer that just ends would pass for the whole.
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the recording became shorter"));
    }
    Ok((reader, piece.into()))
}

fn unsatisfiable(size: u64) -> Response {
    let detail = format!("the recording has {size} bytes");
    let mut response = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail).into_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}
