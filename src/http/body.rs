//! Reading request bodies, bounded in size.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};

/// All of a body of at most `max_bytes`; else the status to refuse it with.
pub(super) async fn read(body: Incoming, max_bytes: u64) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > max_bytes {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    gather(body, limit).await.map(Bytes::from)
}

/// Puts the pieces of a body together as they come. One big piece of memory goes back to the system when it is no longer
/// needed; many small ones would leave it in holes.
async fn gather(mut body: Incoming, limit: usize) -> Result<Vec<u8>, StatusCode> {
    let announced = body.size_hint().exact().and_then(|size| usize::try_from(size).ok());
    let mut whole = Vec::with_capacity(announced.unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(piece) = frame.into_data() else { continue };
        if piece.len() > limit - whole.len() {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}
